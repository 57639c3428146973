import { PerdureError } from '@perdure/job/errors';
import type { Json } from '@perdure/job/json';
import type { Idempotency } from '@perdure/store/submit';
import { createHash } from 'node:crypto';
import type { Principal } from '../http/caller.ts';
import type { RequestHeader } from '../http/operation.ts';

/** Reads the header Idempotency-Key: 1 to 255 visible characters, in quotes (draft-ietf-httpapi-idempotency-key-header) or without. */
export function idempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = typeof header === 'string' ? (/^"(.*)"$/.exec(header.trim())?.[1] ?? header.trim()) : '';
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const detail = 'is 1 to 255 visible ASCII characters without spaces';
  throw new PerdureError('invalid-request', `Idempotency-Key ${detail}`, {
    details: [{ pointer: 'header/Idempotency-Key', detail }],
  });
}

/** How the OpenAPI document tells of the header. */
export function idempotencyHeader(description: string): RequestHeader {
  return { description, schema: { type: 'string', pattern: '^(?!""$)("[!-~]{1,255}"|[!-~]{1,255})$' } };
}

/** The key of a caller, with what tells its request from another. */
export function idempotencyOf(
  { id: caller }: Principal,
  key: string | undefined,
  request: unknown,
): Idempotency | undefined {
  return key === undefined ? undefined : { caller, key, fingerprint: fingerprintOf(request) };
}

/** Two bodies have the same fingerprint when they say the same, in whatever order. */
export function fingerprintOf(body: unknown): string {
  return createHash('sha256')
    .update(canonical(body as Json))
    .digest('hex');
}

function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join()}}`;
}
