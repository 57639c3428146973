import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { ErrorCode } from '@perdure/job/errors';
import type { Permission } from '@perdure/job/permissions';
import type { z } from 'zod';
import { Needs, signableKey } from './caller.ts';
import { statusOf } from './statuses.ts';

type Answer = {
  status: number;
  description: string;
  schema?: z.ZodType;
  /** Other kinds than JSON. */
  content?: Record<string, object>;
  headers?: Record<string, string>;
};

type Description = {
  id: string;
  summary: string;
  description?: string;
  permission: Permission | 'public';
  /** A signed URL (`?signature=`) does in the place of a key. */
  signable?: boolean;
  answers: readonly Answer[];
  /** What can go wrong, besides what can go wrong everywhere. */
  problems?: readonly ErrorCode[];
  headers?: Record<string, string>;
};

const everywhere: readonly ErrorCode[] = [
  'malformed-request',
  'invalid-request',
  'internal-error',
  'unavailable',
];
const withKey: readonly ErrorCode[] = ['unauthenticated', 'forbidden', 'too-many-requests'];

/** What an operation needs and answers: for the guard, and for the OpenAPI document. */
export function Operation({
  id,
  summary,
  description,
  permission,
  signable = false,
  answers,
  problems = [],
  headers = {},
}: Description) {
  const codes = [
    ...(permission === 'public' ? (['internal-error'] as const) : [...everywhere, ...withKey]),
    ...(signable ? (['signed-url-refused'] as const) : []),
    ...problems,
  ];
  return applyDecorators(
    Needs(permission),
    SetMetadata(signableKey, signable),
    ApiOperation({ operationId: id, summary, description: describe(description, permission, signable) }),
    ...(permission === 'public' ? [] : [ApiBearerAuth()]),
    ...Object.entries(headers).map(([name, text]) =>
      ApiHeader({ name, description: text, required: false, schema: { type: 'string' } }),
    ),
    ...answers.map((answer) => ApiResponse(toResponse(answer))),
    ...problemResponses(codes),
  );
}

function describe(text: string | undefined, permission: string, signable: boolean): string {
  const signed = signable ? ' A signed URL needs no key.' : '';
  const needs =
    permission === 'public' ? 'Needs no key.' : `Needs the permission \`${permission}\`.${signed}`;
  return text === undefined ? needs : `${text}\n\n${needs}`;
}

function toResponse({ status, description, schema, content, headers = {} }: Answer) {
  const described = Object.entries(headers).map(
    ([name, text]) => [name, { description: text, schema: { type: 'string' as const } }] as const,
  );
  return {
    status,
    description,
    ...(described.length > 0 ? { headers: Object.fromEntries(described) } : {}),
    ...(schema ? { standardSchema: schema } : {}),
    ...(content ? { content } : {}),
  };
}

/** One response a status: its description names the codes. */
function problemResponses(codes: readonly ErrorCode[]) {
  const byStatus = Map.groupBy(new Set(codes), (code) => statusOf[code]);
  return [...byStatus].map(([status, some]) =>
    ApiResponse({
      status,
      description: some.map((code) => `\`${code}\``).join(', '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    }),
  );
}
