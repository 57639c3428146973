import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { ErrorCode } from '@perdure/job/errors';
import type { Permission } from '@perdure/job/permissions';
import type { z } from 'zod';
import { Named, Needs, signableKey } from './caller.ts';
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
  problems?: readonly Refusal[];
  /** What the request may say: a description of any text, or more. */
  headers?: Record<string, string | RequestHeader>;
};

/** A code, with its status where that is not the usual one. */
type Refusal = ErrorCode | { code: ErrorCode; status: number };

export type RequestHeader = { description: string; required?: true; schema: object };

/** Too long a URL, and too large headers: before anything else is looked at. */
const unread: readonly Refusal[] = [
  { code: 'malformed-request', status: 414 },
  { code: 'malformed-request', status: 431 },
];
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
  const refusals = [
    ...unread,
    ...(permission === 'public' ? (['internal-error'] as const) : [...everywhere, ...withKey]),
    ...(signable ? (['signed-url-refused'] as const) : []),
    ...problems,
  ];
  return applyDecorators(
    Needs(permission),
    Named(id),
    SetMetadata(signableKey, signable),
    ApiOperation({ operationId: id, summary, description: describe(description, permission, signable) }),
    ...(permission === 'public' ? [] : [ApiBearerAuth()]),
    ...Object.entries(headers).map(([name, header]) => ApiHeader({ name, ...toHeader(header) })),
    ...answers.map((answer) => ApiResponse(toResponse(answer))),
    ...problemResponses(refusals),
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

function toHeader(header: string | RequestHeader) {
  const described = typeof header === 'string' ? { description: header, schema: { type: 'string' } } : header;
  return { required: false, ...described };
}

/** One response a status: its description names the codes. */
function problemResponses(refusals: readonly Refusal[]) {
  const named = refusals.map((one) => (typeof one === 'string' ? { code: one, status: statusOf[one] } : one));
  const byStatus = Map.groupBy(named, ({ status }) => status);
  return [...byStatus].map(([status, some]) =>
    ApiResponse({
      status,
      description: [...new Set(some.map(({ code }) => `\`${code}\``))].join(', '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    }),
  );
}
