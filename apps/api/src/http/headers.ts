import type { IncomingHttpHeaders } from 'node:http';

/** A header of the request that may be given once. Node joins or drops repeats of all but a few. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
