import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until `predicate` answers something truthy, and answers that. Rejects after `timeoutMs` (10 s when not said) with what was
 * waited for; a predicate that throws counts as not yet, and its last error is the cause.
 */
export async function waitFor<T>(
  predicate: () => T | Promise<T>,
  options: { timeoutMs?: number; everyMs?: number; what: string },
): Promise<NonNullable<T>> {
  const { timeoutMs = 10_000, everyMs = 25, what } = options;
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await predicate();
      if (answer) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline)
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause });
    await delay(everyMs);
  }
}
