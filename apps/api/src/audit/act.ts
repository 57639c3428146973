import type { TargetKind } from '@perdure/job/audit';
import { clip } from '@perdure/job/errors';
import type { FastifyRequest } from 'fastify';

export type Target = { kind: TargetKind; id: string | null };

/** What is asked for, as the audit log tells it. */
export type Act = {
  /** The `operationId` of the OpenAPI document. */
  operation: string;
  /** What the path names, whether or not there is such a thing. */
  target: Target | null;
  reason: string | null;
  requestId: string;
  address: string;
};

const maxReasonLength = 1_000;

const kinds: Readonly<Record<string, TargetKind>> = {
  jobs: 'job',
  files: 'file',
  uploads: 'upload',
  functions: 'function',
  agents: 'agent',
  pools: 'pool',
  keys: 'key',
  users: 'user',
  tenants: 'tenant',
};

export function actOf(operation: string, request: FastifyRequest): Act {
  const { id: requestId, ip: address } = request;
  return { operation, target: targetIn(request), reason: reasonIn(request.body), requestId, address };
}

/** What is acted on stands first in the path: `/v1/<kind>s/<id>…`. */
function targetIn({ routeOptions, params }: FastifyRequest): Target | null {
  const [, , segment = ''] = (routeOptions.url ?? '').split(/[/:]/);
  const kind = kinds[segment];
  if (kind === undefined) return null;
  const { id, name, version } = params as Record<string, string | undefined>;
  return { kind, id: version === undefined ? (name ?? id ?? null) : functionId(name, version) };
}

export function functionId(name = '', version: string): string {
  return `${name}@${version}`;
}

function reasonIn(body: unknown): string | null {
  const said = typeof body === 'object' && body !== null && 'reason' in body ? body.reason : undefined;
  return typeof said === 'string' ? clip(said, maxReasonLength) : null;
}
