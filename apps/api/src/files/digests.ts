import { PerdureError } from '@perdure/job/errors';

/** The SHA-256 that Content-Digest or Repr-Digest announces (RFC 9530), in hex. Other algorithms are not checked. */
export function announcedSha256(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  const value = /(?:^|,)\s*sha-256\s*=\s*([^,\s;]+)/i.exec(header)?.[1];
  if (value === undefined) return undefined;
  const bytes = /^:([A-Za-z0-9+/]{43}=):$/.exec(value)?.[1];
  if (bytes !== undefined) return Buffer.from(bytes, 'base64').toString('hex');
  const detail = 'has the form sha-256=:<32 bytes in base64>:';
  throw new PerdureError('malformed-request', `${name} ${detail}`, {
    details: [{ pointer: `header/${name}`, detail }],
  });
}

export function toDigest(sha256: string): string {
  return `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`;
}
