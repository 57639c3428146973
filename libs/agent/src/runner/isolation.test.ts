import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '@perdure/job/json';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isAlive } from '../../../../tests/support/alive.ts';
import { waitFor } from '../../../../tests/support/wait.ts';
import { logLimits } from './log-intake.ts';
import type { Flood } from './testing/flood.ts';
import { manageSessions, start, startScript } from './testing/sessions.ts';
import { openUsageSampler } from './usage-sampler.ts';

manageSessions();

const sampler = openUsageSampler({ memoryMs: 50, scratchMs: 50 });
const limits = { memoryMiB: 300, scratchMiB: 20 };
const floodProgram = fileURLToPath(new URL('./testing/flood.ts', import.meta.url));

/** Runs while others misbehave. */
async function aNeighbour() {
  const { session, fail, says } = await start('is-polite', { sampler, limits });
  const failure = fail();
  await says('waiting');
  return {
    async isWell() {
      expect(await isAlive(session.pid ?? 0)).toBe(true);
      expect(await session.stop(60_000)).toBe('stopped');
      expect((await failure).code).toBe('canceled');
    },
  };
}

describe('what a function does hurts only itself:', () => {
  test.each<[string, JsonObject, string]>([
    ['exits', { code: 0 }, 'process-exited'],
    ['aborts', {}, 'process-exited'],
    ['is-killed', {}, 'process-exited'],
    ['leaves-rejection', {}, 'execution-failed'],
    ['throws-later', {}, 'execution-failed'],
    ['never-settles', {}, 'execution-failed'],
    ['writes-reports', {}, 'output-invalid'],
    ['hoards', { on: 'heap' }, 'resource-limit'],
    ['hoards', { on: 'buffers' }, 'resource-limit'],
    ['fills-scratch', {}, 'resource-limit'],
    ['meets-full-disk', {}, 'agent-unfit'],
  ])('%s %j', async (name, parameters, code) => {
    const neighbour = await aNeighbour();
    const { fail } = await start(name, { sampler, limits });
    expect((await fail(parameters)).code).toBe(code);
    await neighbour.isWell();
  });

  test('is-busy, and must be killed', async () => {
    const neighbour = await aNeighbour();
    const { session, fail, says } = await start('is-busy', { sampler, limits });
    const failure = fail();
    await says('busy');
    expect(await session.stop(100)).toBe('killed');
    expect((await failure).code).toBe('canceled');
    await neighbour.isWell();
  });

  test('makes a file of a terabyte, which is told by its size and not read', async () => {
    const { execute } = await start('makes-huge-file', { sampler, limits });
    expect((await execute()).files).toMatchObject([{ name: 'huge', size: 1e12 }]);
  });
});

describe('a flood is bounded in the record, and in the memory of the agent:', () => {
  test.each([
    ['10 million lines', 'seq 10000000', logLimits.lines + 2, `${1e7 - logLimits.lines} lines were dropped`],
    ['5 GB without an end of line', 'head -c 5G /dev/zero', 1, 'more characters cut)'],
  ])('%s of a program', async (_, script, kept, last) => {
    const neighbour = await aNeighbour();
    const { stdout } = await promisify(execFile)(process.execPath, [floodProgram, script]);
    const flood = JSON.parse(stdout) as Flood;
    expect(flood).toMatchObject({ lines: kept, last: expect.stringContaining(last) });
    expect(flood.megabytes).toBeLessThan(300);
    await neighbour.isWell();
  });

  test('a million lines of a function', async () => {
    const { execute, lines, texts } = await start('floods');
    await execute({ lines: 1_000_000, length: 1, through: 'stdout' });
    expect(lines).toHaveLength(logLimits.lines + 2);
    expect(texts().at(-1)).toBe(`${1e6 - logLimits.lines} lines were dropped`);
  });

  test('is no reason to wait: a program that floods is stopped at once', async () => {
    const { session, fail, lines } = await startScript('yes');
    const failure = fail();
    await waitFor(() => lines.length > logLimits.lines, { what: 'the flood' });
    expect(await session.stop(60_000)).toBe('stopped');
    expect((await failure).code).toBe('canceled');
  });
});
