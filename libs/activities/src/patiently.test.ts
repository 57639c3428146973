import { expect, test } from '@jest/globals';
import { PerdureError } from '@perdure/job/errors';
import { patiently } from './patiently.ts';

/** Fails so often, then answers. */
function recovering(failures: Error[]) {
  let calls = 0;
  return {
    calls: () => calls,
    work: async () => {
      calls++;
      const failure = failures.shift();
      if (failure) throw failure;
      return 'done';
    },
  };
}

test('a server that is away for a while fails nothing', async () => {
  const { work, calls } = recovering([
    new Error('connection refused'),
    new PerdureError('unavailable', 'away'),
  ]);
  expect(await patiently(work)).toBe('done');
  expect(calls()).toBe(3);
});

test('what would fail again is not tried again', async () => {
  const { work, calls } = recovering([new PerdureError('stale-attempt', 'over')]);
  await expect(patiently(work)).rejects.toMatchObject({ code: 'stale-attempt' });
  expect(calls()).toBe(1);
});

test('a stage that is stopped waits no longer', async () => {
  const stop = new AbortController();
  const waiting = patiently(() => {
    stop.abort(new Error('stopped'));
    return Promise.reject(new Error('connection refused'));
  }, stop.signal);
  await expect(waiting).rejects.toThrow('stopped');
});
