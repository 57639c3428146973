import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * The trace id of a request: that of `traceparent` (W3C Trace Context) or `X-Request-Id` where the caller sends a
 * decent one, so that one id runs through all logs; else a new one.
 */
export function requestId(request: { headers: IncomingHttpHeaders }): string {
  const { traceparent, 'x-request-id': given } = request.headers;
  const trace =
    typeof traceparent === 'string'
      ? /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-/.exec(`${traceparent}-`)?.[1]
      : undefined;
  if (trace !== undefined && !/^0+$/.test(trace)) return trace;
  if (typeof given === 'string' && /^[\w.-]{8,64}$/.test(given)) return given;
  return randomBytes(16).toString('hex');
}
