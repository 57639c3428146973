import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '@perdure/job/json';
import { isAlive } from '../../../../tests/support/alive.ts';
import { unlessDiskIsFull } from './failure.ts';
import { limitsFor } from './limits.ts';
import { manageSessions, sessionFolder, start, startCommand, startScript } from './testing/sessions.ts';
import { openUsageSampler } from './usage-sampler.ts';

manageSessions();

const sampler = openUsageSampler({ memoryMs: 50, scratchMs: 50 });
/** 150 MB in all. */
const hoard = 'const hoard = Buffer.alloc(1e8, 1); setTimeout(() => hoard, 1e8)';

test('what a function says goes before what the agent says, and that before what is built in', () => {
  const builtIn = limitsFor({ limits: {} });
  expect(builtIn).toMatchObject({ scratchMiB: 20_480, logLines: 100_000 });
  expect(builtIn.memoryMiB).toBeGreaterThanOrEqual(1_024);
  expect(limitsFor({ limits: {} }, { memoryMiB: 5, logLines: 7 })).toEqual({
    ...builtIn,
    memoryMiB: 5,
    logLines: 7,
  });
  expect(limitsFor({ limits: { memoryMiB: 6 } }, { memoryMiB: 5, scratchMiB: 8 })).toMatchObject({
    memoryMiB: 6,
    scratchMiB: 8,
  });
});

describe('who uses too much is ended, and told what and how much:', () => {
  test.each<[string, () => ReturnType<typeof start>, JsonObject, RegExp]>([
    [
      'memory beside the heap',
      () => start('hoards', { limits: { memoryMiB: 300 }, sampler }),
      {},
      /used \d{3} MiB of memory; 300 MiB are allowed \(memoryMiB\)/,
    ],
    [
      'the heap, faster than anybody looks',
      () => start('hoards', { limits: { memoryMiB: 200 } }),
      { on: 'heap' },
      /memory.* 200 MiB.* allowed \(memoryMiB\)/,
    ],
    [
      'memory, by a limit of the function itself',
      () => start('hoards-patiently', { limits: { memoryMiB: 9_000 }, sampler }),
      {},
      /150 MiB are allowed/,
    ],
    [
      'memory of two processes together',
      () =>
        startCommand(
          {
            program: 'sh',
            args: ['-c', '"$0" -e "$1" & "$0" -e "$1" & wait', process.execPath, hoard],
            memoryMiB: 250,
          },
          { sampler },
        ),
      {},
      /250 MiB are allowed/,
    ],
    [
      'its scratch folder',
      () => start('fills-scratch', { limits: { scratchMiB: 20 }, sampler }),
      {},
      /used \d\d+ MiB of its scratch folder; 20 MiB are allowed \(scratchMiB\)/,
    ],
    [
      'its scratch folder, as a program',
      () => startScript('head -c 30M /dev/zero > a; sleep 600', { scratchMiB: 20 }, { sampler }),
      {},
      /20 MiB are allowed \(scratchMiB\)/,
    ],
    [
      'time',
      () => startScript('trap "" TERM; sleep 600', { timeoutSeconds: 0.2 }),
      {},
      /ran for 0.2 s and was not done; 0.2 s are allowed \(timeoutSeconds\)/,
    ],
  ])('%s', async (_, begin, parameters, message) => {
    const { session, fail } = await begin();
    const failure = await fail(parameters);
    expect(failure).toMatchObject({ code: 'resource-limit', retryable: false });
    expect(failure.message).toMatch(message);
    expect(session.pid === undefined || !(await isAlive(session.pid))).toBe(true);
  });
});

test('who stays below the limits is let alone, beside one who does not', async () => {
  const modest = await startScript(
    'truncate -s 1T sparse; echo ready; sleep 600',
    { memoryMiB: 100 },
    { sampler },
  );
  const failure = modest.fail();
  await modest.says('ready');
  const greedy = await startScript('head -c 30M /dev/zero > a; sleep 600', { scratchMiB: 20 }, { sampler });
  expect(await greedy.fail()).toMatchObject({ code: 'resource-limit' });
  expect(await isAlive(modest.session.pid ?? 0)).toBe(true);
  await modest.session.kill();
  expect(await failure).toMatchObject({ code: 'canceled' });
});

test.each<[string, () => ReturnType<typeof start>, JsonObject]>([
  ['a program', () => startScript('seq 10', {}, { limits: { logLines: 3 } }), {}],
  [
    'a function',
    () => start('floods', { limits: { logLines: 3 } }),
    { lines: 10, length: 1, through: 'log' },
  ],
])('of %s so many lines are kept as the agent allows', async (_, begin, parameters) => {
  const { execute, texts } = await begin();
  await execute(parameters);
  expect(texts().slice(3)).toEqual([expect.stringContaining('the limit of 3 lines'), '7 lines were dropped']);
});

describe('a full disk is no fault of the function:', () => {
  test.each([{ wrapped: false }, { wrapped: true }])('a function that meets it, %j', async (parameters) => {
    const { fail } = await start('meets-full-disk');
    expect(await fail(parameters)).toMatchObject({
      code: 'agent-unfit',
      retryable: false,
      message: expect.stringContaining('no room left'),
    });
  });

  test('a process that ended badly, by the room that is left', async () => {
    const failure = { code: 'process-exited', message: 'it ended', retryable: true, details: [] } as const;
    expect(await unlessDiskIsFull({ ...failure, details: [] }, '/')).toEqual(failure);
    // A file system without room; so is one that is full.
    expect(await unlessDiskIsFull({ ...failure, details: [] }, '/proc')).toMatchObject({
      code: 'agent-unfit',
    });
    expect(await unlessDiskIsFull({ ...failure, details: [] }, '/nowhere')).toEqual(failure);
  });

  test('a program on one', async () => {
    const script = fileURLToPath(new URL('./testing/full-disk.ts', import.meta.url));
    const mount = `mount -t tmpfs -o size=1m none "$1"`;
    const unshare = (text: string, ...args: string[]) =>
      promisify(execFile)('unshare', [
        '--user',
        '--map-root-user',
        '--mount',
        'sh',
        '-ec',
        text,
        'sh',
        ...args,
      ]);
    const possible = await unshare(mount, sessionFolder()).then(
      () => true,
      () => false,
    );
    if (!possible) return console.warn('skipped: this machine lets nobody mount a small file system');
    const { stdout } = await unshare(
      `${mount}; exec "$2" "$3" "$1"`,
      sessionFolder(),
      process.execPath,
      script,
    );
    expect(JSON.parse(stdout)).toEqual({
      code: 'agent-unfit',
      retryable: false,
      message: expect.stringMatching(/no room left: The program exited with code 1.*No space left/s),
    });
  });
});
