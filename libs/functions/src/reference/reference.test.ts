import { expect, test } from '@jest/globals';
import type { JsonObject } from '@perdure/job/json';
import type { Progress } from '../context.ts';
import type { CodeDefinition } from '../definition.ts';
import { FatalError, RetryableError } from '../errors.ts';
import { count } from './count.ts';
import { echo } from './echo.ts';
import { fail } from './fail.ts';
import { sleep } from './sleep.ts';

function run(definition: CodeDefinition, parameters: JsonObject, signal = new AbortController().signal) {
  const lines: string[] = [];
  const progress: Progress[] = [];
  const take = (text: string) => void lines.push(text);
  const context = {
    parameters,
    files: {},
    scratch: '/nowhere',
    log: { debug: take, info: take, warn: take, error: take },
    progress: (one: Progress) => void progress.push(one),
    signal,
    addFile: () => {},
  };
  return { lines, progress, output: definition.execute(context) };
}

test('echo returns whatever it is given', async () => {
  const parameters = { a: 1, b: { c: [null, 'd', {}] } };
  await expect(run(echo, parameters).output).resolves.toEqual({ echo: parameters });
  await expect(run(echo, {}).output).resolves.toEqual({ echo: {} });
});

test('sleep ends at once when it is stopped', async () => {
  await expect(run(sleep, { seconds: 0 }).output).resolves.toEqual({ sleptSeconds: 0 });
  const stopped = new AbortController();
  const { output } = run(sleep, { seconds: 600 }, stopped.signal);
  stopped.abort();
  await expect(output).rejects.toMatchObject({ name: 'AbortError' });
});

test('count logs and tells its progress at each number', async () => {
  const { output, lines, progress } = run(count, { to: 3, everyMs: 0 });
  await expect(output).resolves.toEqual({ counted: 3 });
  expect(lines).toEqual(['1 of 3', '2 of 3', '3 of 3']);
  expect(progress.map(({ done }) => done)).toEqual([0, 1, 2, 3]);
});

test('fail fails as asked', async () => {
  const asked = await run(fail, { message: 'oh', retryable: true }).output.catch((error: unknown) => error);
  expect(asked).toBeInstanceOf(RetryableError);
  expect(asked).toMatchObject({ message: 'oh' });
  await expect(run(fail, {}).output).rejects.toBeInstanceOf(FatalError);
  expect(fail.retry.maximumAttempts).toBe(3);
});
