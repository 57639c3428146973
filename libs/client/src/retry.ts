import pRetry from 'p-retry';
import type { ErrorCode } from './generated.ts';
import { PerdureProblem, PerdureUnreachable } from './problem.ts';

const passingStatuses = [429, 502, 503, 504];
/** Another request, perhaps this one before, is not through yet. */
const passingCodes: readonly ErrorCode[] = ['request-in-flight', 'upload-conflict'];
/** Longer than this the client does not wait for the API because it asks for it. */
const longestRetryAfterSeconds = 60;

/** True where the same request may well succeed in a moment. */
export function isPassing(error: unknown): boolean {
  if (error instanceof PerdureUnreachable) {
    return error.status === undefined || passingStatuses.includes(error.status);
  }
  return (
    error instanceof PerdureProblem &&
    (passingStatuses.includes(error.status) || passingCodes.includes(error.code))
  );
}

/** Tries again what failed in passing, up to `retries` times, at growing and scattered intervals, not before `Retry-After`. */
export async function retrying<T>(
  attempt: () => Promise<T>,
  { retries, signal }: { retries: number; signal?: AbortSignal },
): Promise<T> {
  try {
    return await pRetry(attempt, {
      retries,
      signal,
      minTimeout: 100,
      maxTimeout: 5_000,
      randomize: true,
      shouldRetry: ({ error }) => signal?.aborted !== true && isPassing(error),
      onFailedAttempt: async ({ error, retriesLeft }) => {
        if (retriesLeft === 0 || !isPassing(error)) return;
        const { retryAfterSeconds = 0 } = error as PerdureProblem | PerdureUnreachable;
        if (retryAfterSeconds > longestRetryAfterSeconds) throw error;
        await sleep(retryAfterSeconds * 1_000, signal);
      },
    });
  } catch (error) {
    // The reason of an abort may be anything, and is passed on as it is.
    throw signal?.aborted === true ? signal.reason : error;
  }
}

/** Rejects with the reason of the signal. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, ms);
    if (signal?.aborted === true) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
}
