import { createHash, randomBytes } from 'node:crypto';

export type Secret = { key: string; hash: Buffer; prefix: string; lastFour: string };

/** A new API key: `pk_` and 256 random bits in base64url. */
export function newSecret(): Secret {
  return secretOf(`pk_${randomBytes(32).toString('base64url')}`);
}

/** What is stored of a key: its SHA-256, and enough of its ends to tell keys apart. */
export function secretOf(key: string): Secret {
  return {
    key,
    hash: createHash('sha256').update(key).digest(),
    prefix: key.slice(0, 6),
    lastFour: key.slice(-4),
  };
}
