import { PerdureError } from '@perdure/job/errors';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';

/** How long the identity provider may take to answer. */
const timeoutMs = 3_000;

/** `cooldownMs`: it is not asked more often for keys that nobody knows. After a failure it is left alone for `pauseMs`. */
export type Rhythm = { refreshMs: number; maxAgeMs: number; cooldownMs: number; pauseMs: number };

const usual: Rhythm = {
  refreshMs: 10 * 60_000,
  maxAgeMs: 24 * 3_600_000,
  cooldownMs: 30_000,
  pauseMs: 5_000,
};

/**
 * The keys of the identity provider, from the one address that the operator gave: no header of a token leads anywhere else. They are
 * read anew in the background; while the provider is away, those that are known go on for a day.
 */
export class ProviderKeys {
  private readonly keys: ReturnType<typeof createRemoteJWKSet>;
  private loadedAt = -Infinity;
  private failedAt = -Infinity;

  constructor(
    url: string,
    private readonly rhythm: Rhythm = usual,
  ) {
    // When they are read is decided here.
    const never = { cacheMaxAge: Infinity, cooldownDuration: Infinity };
    this.keys = createRemoteJWKSet(new URL(url), { ...never, timeoutDuration: timeoutMs });
  }

  /** For `jwtVerify`. Throws 'unavailable' when only the provider could tell and does not answer. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const { refreshMs, maxAgeMs, cooldownMs } = this.rhythm;
    if (this.age() > maxAgeMs) await this.load();
    else if (this.age() > refreshMs) void this.load().catch(() => {});
    try {
      return await this.keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.age() < cooldownMs) throw error;
      await this.load();
      return this.keys(header, token);
    }
  };

  private age(): number {
    return Date.now() - this.loadedAt;
  }

  /** All who need it at the same time ask once. */
  private async load(): Promise<void> {
    if (Date.now() - this.failedAt < this.rhythm.pauseMs) throw away();
    try {
      await this.keys.reload();
      this.loadedAt = Date.now();
    } catch (cause) {
      this.failedAt = Date.now();
      throw away(cause);
    }
  }
}

function away(cause?: unknown): PerdureError {
  return new PerdureError('unavailable', 'The identity provider does not answer; nothing was done', {
    cause,
  });
}
