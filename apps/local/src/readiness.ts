import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until a GET answers 2xx. Rejects when `signal` comes, when a part of the stack has given up (`failed`), or after
 * `timeoutMs`, with what was answered last.
 */
export async function untilAnswers(
  url: string,
  options: { signal: AbortSignal; failed: Promise<Error>; timeoutMs?: number },
): Promise<void> {
  const { signal, failed, timeoutMs = 120_000 } = options;
  const given = new AbortController();
  const over = AbortSignal.any([signal, given.signal]);
  void failed.then((reason) => given.abort(reason));
  const deadline = performance.now() + timeoutMs;
  let last: string;
  for (;;) {
    over.throwIfAborted();
    try {
      const answer = await fetch(url, { signal: AbortSignal.any([over, AbortSignal.timeout(5_000)]) });
      if (answer.ok) return void (await answer.body?.cancel());
      last = `${answer.status} ${(await answer.text()).slice(0, 1_000)}`;
    } catch (error) {
      over.throwIfAborted();
      last = inWords(error);
    }
    if (performance.now() >= deadline)
      throw new Error(`${url} did not become ready in ${timeoutMs / 1_000} s. It answered: ${last}`);
    await delay(300, undefined, { signal: over }).catch(() => undefined);
  }
}

/** What fetch throws says little; its cause says more. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
