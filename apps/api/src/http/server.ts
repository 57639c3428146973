import { FastifyAdapter } from '@nestjs/platform-fastify';
import { errors, PerdureError } from '@perdure/job/errors';
import type { ApiConfig } from '@perdure/config/api';
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { LogController } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { parseBodies } from './json-body.ts';
import type { KnownPaths } from './known-paths.ts';
import { HttpError, sendProblem } from './problem.ts';
import { understand } from './problem-filter.ts';
import { requestId } from './request-id.ts';

/** Fastify with everything that must be right before Nest comes into play. */
export function createAdapter(
  config: ApiConfig,
  logger: FastifyBaseLogger,
  paths: KnownPaths,
): FastifyAdapter {
  const adapter = new FastifyAdapter({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    requestIdHeader: false,
    bodyLimit: config.limits.jsonBytes,
    // Requests that come on open connections while the server closes are still served.
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    frameworkErrors: refuseUrl,
    clientErrorHandler: refuseConnection,
  });
  const fastify = adapter.getInstance();
  fastify.addHook('onRoute', (route) => paths.add(route));
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    if (request.url.length > maxUrlLength) sendProblem(longUrl, request, reply);
    else done();
  });
  parseBodies(fastify, config.limits.jsonBytes);
  return adapter;
}

/** Longer than any that this API makes. Node itself refuses more than 16 KiB of headers. */
const maxUrlLength = 8_192;
const longUrl = new HttpError('malformed-request', `The URL is longer than ${maxUrlLength} characters`, {
  status: 414,
});

/** A URL that the router cannot read, before any hook or filter. */
function refuseUrl(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const understood = understand(error);
  const known =
    understood.code === 'internal-error'
      ? new PerdureError('malformed-request', 'The URL cannot be read')
      : understood;
  sendProblem(known, request, reply);
}

const clientErrors: Record<string, HttpError> = {
  HPE_HEADER_OVERFLOW: new HttpError('malformed-request', 'The headers are too large', { status: 431 }),
  ERR_HTTP_REQUEST_TIMEOUT: new HttpError('malformed-request', 'The request did not come in time', {
    status: 408,
  }),
};
const notHttp = new HttpError('malformed-request', 'This is not HTTP');

/** What Node cannot read as HTTP: there is no request and no reply, only a socket. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const { code, message, status } = clientErrors[error.code ?? ''] ?? notHttp;
  const traceId = requestId({ headers: {} });
  const problem = {
    type: `urn:perdure:error:${code}`,
    title: errors[code],
    status,
    detail: message,
    instance: '',
    code,
    traceId,
  };
  const body = JSON.stringify(problem);
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${traceId}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
