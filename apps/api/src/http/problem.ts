import {
  clip,
  type ErrorCode,
  type ErrorDetail,
  errors,
  maxDetailLength,
  PerdureError,
} from '@perdure/job/errors';
import type { Problem } from '@perdure/job/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { statusOf } from './statuses.ts';

type Extras = {
  details?: readonly ErrorDetail[];
  cause?: unknown;
  /** Where the status is not the one of the code. */
  status?: number;
  headers?: Record<string, string>;
  /** More members of the problem (RFC 9457, 3.2). */
  members?: Record<string, unknown>;
};

/** A failure that needs more of the answer than a code: headers, further members, another status. */
export class HttpError extends PerdureError {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly members: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, extras: Extras = {}) {
    super(code, message, extras);
    this.status = extras.status ?? statusOf[code];
    this.headers = extras.headers ?? {};
    this.members = extras.members ?? {};
  }
}

export function statusFor(error: PerdureError): number {
  return error instanceof HttpError ? error.status : statusOf[error.code];
}

/** How long a client is to wait before it asks a server again that is away, in seconds. */
const retryAfter = '2';

export function problemOf(error: PerdureError, request: { url: string; id: string }): Problem {
  const details = error.details
    .slice(0, 100)
    .map((one) => ({ pointer: one.pointer, detail: clip(one.detail, 500) }));
  return {
    type: `urn:perdure:error:${error.code}`,
    title: errors[error.code],
    status: statusFor(error),
    detail: clip(error.message, maxDetailLength),
    instance: request.url.split('?', 1)[0] ?? '',
    code: error.code,
    ...(details.length > 0 ? { errors: details } : {}),
    traceId: request.id,
    ...(error instanceof HttpError ? error.members : {}),
  };
}

/** Sends `error` as problem+json (RFC 9457). */
export function sendProblem(error: PerdureError, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error, request);
  if (problem.status === 503) reply.header('retry-after', retryAfter);
  if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="perdure"');
  if (error instanceof HttpError) reply.headers(error.headers);
  reply
    .code(problem.status)
    .header('content-type', 'application/problem+json')
    .header('cache-control', 'no-store')
    .header('x-request-id', request.id)
    .header('x-content-type-options', 'nosniff')
    .removeHeader('content-length')
    .removeHeader('content-disposition')
    .removeHeader('etag')
    // As bytes: to a text Fastify would add a charset, which this media type does not have.
    .send(Buffer.from(JSON.stringify(problem)));
}
