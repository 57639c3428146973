import { PerdureError } from '@perdure/job/errors';

type Header = string | string[] | undefined;

/** True when `If-None-Match` names this tag: the comparison is the weak one (RFC 9110, 13.1.2). */
export function matchesNone(header: Header, etag: string): boolean {
  return tags(header).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag);
}

/** Throws 'precondition-failed' when `If-Match` is given and does not name this tag: the strong comparison (RFC 9110, 13.1.1). */
export function requireMatch(header: Header, etag: string | undefined): void {
  if (header === undefined) return;
  if (tags(header).some((tag) => tag === '*' || tag === etag)) return;
  const now = etag === undefined ? 'it has no ETag' : `it is now ${etag}`;
  throw new PerdureError('precondition-failed', `The resource is not the one named in If-Match: ${now}`);
}

function tags(header: Header): string[] {
  return [header ?? []].flat().flatMap((line) => line.match(/\*|(?:W\/)?"[^"]*"/g) ?? []);
}
