import { HttpError } from '../http/problem.ts';

/** Nobody is known by this key or token (RFC 6750, 3.1). `why` is one of few sentences, and tells nothing of what was sent. */
export function notLetIn(why: string): HttpError {
  return new HttpError('unauthenticated', why, {
    headers: { 'www-authenticate': 'Bearer realm="perdure", error="invalid_token"' },
  });
}
