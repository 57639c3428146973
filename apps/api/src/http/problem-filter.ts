import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuditLog } from '../audit/audit-log.ts';
import { isDatabaseAway } from '../database/away.ts';
import type { AuthenticatedRequest } from './caller.ts';
import type { KnownPaths } from './known-paths.ts';
import { reasonOf } from './reason.ts';
import { HttpError, sendProblem } from './problem.ts';
import { statusOf } from './statuses.ts';

/** What changes nothing (RFC 9110, 9.2.1). */
const safeMethods = ['GET', 'HEAD', 'OPTIONS'];

/** Everything that is thrown anywhere becomes a problem here. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly paths: KnownPaths,
    private readonly audit: AuditLog,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<AuthenticatedRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = request.is404 ? this.notFound(request) : understand(exception);
    if (error.code !== 'unavailable' && statusOf[error.code] >= 500)
      request.log.error({ err: exception }, 'request failed');
    if (error.code === 'unavailable' && error.cause !== undefined) {
      request.log.warn({ reason: reasonOf(error) }, 'a server is away');
    }
    if (request.principal && !safeMethods.includes(request.method))
      this.audit.refused(request.principal, error);
    if (reply.raw.headersSent) {
      // Half an answer cannot be taken back: cut the connection, so that it is not taken for a whole one.
      reply.raw.destroy();
      return;
    }
    sendProblem(error, request, reply);
  }

  private notFound(request: FastifyRequest): PerdureError {
    const allowed = this.paths.methodsOf(request.url);
    if (allowed.length === 0 || allowed.includes(request.method))
      return new PerdureError('not-found', 'There is no such path. See /docs');
    const allow = allowed.join(', ');
    return new HttpError(
      'method-not-allowed',
      `${request.method} is not among the methods of this path: ${allow}`,
      {
        headers: { allow },
      },
    );
  }
}

/** What an exception says to the one who asked. What is not expected says nothing. */
export function understand(exception: unknown): PerdureError {
  if (exception instanceof PerdureError) return exception;
  if (isDatabaseAway(exception)) {
    return new PerdureError('unavailable', 'The database does not answer; nothing was done', {
      cause: exception,
    });
  }
  const status = exception instanceof HttpException ? exception.getStatus() : statusIn(exception);
  if (status === 404) return new PerdureError('not-found', 'There is no such thing here');
  if (status === 413) return new PerdureError('payload-too-large', 'The body is larger than the limit');
  if (status === 415) return new PerdureError('unsupported-media-type', 'The Content-Type cannot be read');
  if (status >= 400 && status < 500) {
    return new HttpError(
      'malformed-request',
      exception instanceof Error ? exception.message : 'The request cannot be read',
      {
        status,
      },
    );
  }
  return new PerdureError('internal-error', 'An unexpected error. The logs have it under the traceId', {
    cause: exception,
  });
}

function statusIn(exception: unknown): number {
  if (typeof exception !== 'object' || exception === null || !('statusCode' in exception)) return 500;
  return typeof exception.statusCode === 'number' ? exception.statusCode : 500;
}
