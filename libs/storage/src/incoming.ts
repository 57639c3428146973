import { createHash } from 'node:crypto';

import { PerdureError } from '@perdure/job/errors';

import type { PutOptions, Stored } from './contract.ts';

/** Half-written files are leftovers of a crash when nobody has written to them for so long. */
export const leftoverAfterMs = 24 * 3600 * 1000;

/** Bytes on their way in, counted and hashed while they pass. */
export type Incoming = {
  /** Ends with `digest-mismatch` or `payload-too-large` where the bytes break `options`. */
  bytes: AsyncGenerator<Uint8Array>;
  /** Complete once `bytes` has ended. */
  stored(): Stored;
  /** To be called once the bytes can be seen. */
  arrived(): Promise<Stored>;
  /** What to throw when a put ended with `error`: what the bytes themselves failed with, else that storing failed. */
  failure(error: unknown, where: string): unknown;
};

export function receive(source: AsyncIterable<Uint8Array>, options: PutOptions): Incoming {
  const { maxBytes = Number.POSITIVE_INFINITY, expectedSha256, signal, announce } = options;
  const hash = createHash('sha256');
  let size = 0;
  let sha256 = '';
  let failed: { error: unknown } | undefined;
  let tellArrival: (() => Promise<void>) | undefined;

  async function* pass(): AsyncGenerator<Uint8Array> {
    for await (const chunk of signal ? abortable(source, signal) : source) {
      size += chunk.byteLength;
      if (size > maxBytes)
        throw new PerdureError('payload-too-large', `The file is larger than ${maxBytes} bytes.`);
      hash.update(chunk);
      yield chunk;
    }
    sha256 = hash.digest('hex');
    if (expectedSha256 !== undefined && expectedSha256 !== sha256) {
      throw new PerdureError(
        'digest-mismatch',
        `The SHA-256 announced is ${expectedSha256}, that of the bytes is ${sha256}.`,
      );
    }
    tellArrival = await announce?.(sha256);
  }

  async function* noted(): AsyncGenerator<Uint8Array> {
    try {
      yield* pass();
    } catch (error) {
      failed = { error: signal?.aborted ? signal.reason : error };
      throw failed.error;
    }
  }

  return {
    bytes: noted(),
    stored: () => ({ sha256, size }),
    async arrived() {
      await tellArrival?.();
      return { sha256, size };
    },
    failure: (error, where) => (failed ? failed.error : storingFailed(error, where)),
  };
}

/** Ends at once when the signal comes, even while the source stalls; `Readable.from` would wait for the source. */
async function* abortable(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (
      let next = await nextOrAbort(iterator, signal);
      !next.done;
      next = await nextOrAbort(iterator, signal)
    ) {
      yield next.value;
    }
  } finally {
    // Not awaited: a source that stalls answers never.
    iterator.return?.().catch(() => undefined);
  }
}

function nextOrAbort(
  iterator: AsyncIterator<Uint8Array>,
  signal: AbortSignal,
): Promise<IteratorResult<Uint8Array>> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

export function storingFailed(error: unknown, where: string): PerdureError {
  const code = nameOf(error);
  const detail = code === 'ENOSPC' ? 'there is no space left' : code;
  return new PerdureError('upload-failed', `The bytes could not be stored in ${where}: ${detail}.`, {
    cause: error,
  });
}

/** The code of a system error, else the name: messages of drivers may carry addresses and keys. */
export function nameOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown reason';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'name' in error ? String(error.name) : 'unknown reason';
}

export function unavailable(error: unknown, where: string): PerdureError {
  return new PerdureError('unavailable', `${where} cannot be used now: ${nameOf(error)}.`, { cause: error });
}

export function notFound(sha256: string): PerdureError {
  return new PerdureError('not-found', `Nothing is stored under ${sha256.slice(0, 64)}.`);
}

export function notSatisfiable(sha256: string): PerdureError {
  return new PerdureError(
    'range-not-satisfiable',
    `The range lies outside the bytes stored under ${sha256}.`,
  );
}

export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
