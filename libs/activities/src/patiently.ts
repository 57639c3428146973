import { isOutOfSpace } from '@perdure/functions';
import { PerdureError } from '@perdure/job/errors';
import pRetry from 'p-retry';

/**
 * Tries until it works: a database or a storage that is away for a while costs no line and fails no job. What would fail again is thrown at
 * once. Ends with the reason of `signal`.
 */
export function patiently<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  return pRetry(work, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 200,
    maxTimeout: 2_000,
    ...(signal === undefined ? {} : { signal }),
    // What is no PerdureError comes from the driver of the database, or says that the disk is full.
    shouldRetry: ({ error }) =>
      error instanceof PerdureError ? error.code === 'unavailable' : !isOutOfSpace(error),
  });
}
