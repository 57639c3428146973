import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { isAlive } from '../../../../tests/support/alive.ts';
import { waitFor } from '../../../../tests/support/wait.ts';
import { failureOf, manageSessions, sessionFolder, start, startScript } from './testing/sessions.ts';

manageSessions();

/** A deaf child and grandchild of the shell, which tells their pids and then is as `then` says. */
const family = (then: string) =>
  `sh -c 'trap "" TERM; sleep 600 & echo $! $$; wait; wait' & child=$!; ${then}`;

async function pidsOf(lines: { text: string }[]): Promise<number[]> {
  await waitFor(() => lines.length > 0, { what: 'the pids' });
  return lines[0]?.text.split(' ').map(Number) ?? [];
}

describe('a stop of a program', () => {
  test('lets a polite one clean up', async () => {
    const { session, fail, says, texts } = await startScript(
      'trap "echo cleaned up; exit 0" TERM; echo waiting; while :; do sleep 0.05; done',
    );
    const failure = fail();
    await says('waiting');
    expect(await session.stop(60_000)).toBe('stopped');
    expect(await failure).toMatchObject({ code: 'canceled', retryable: false });
    expect(texts()).toContain('cleaned up');
  });

  test('kills a deaf one after the grace time', async () => {
    const { session, fail, says } = await startScript(
      'trap "" TERM; echo waiting; while :; do sleep 0.05; done',
    );
    const failure = fail();
    await says('waiting');
    const pid = session.pid ?? 0;
    expect(await isAlive(pid)).toBe(true);
    expect(await session.stop(200)).toBe('killed');
    expect(await isAlive(pid)).toBe(false);
    expect(await failure).toMatchObject({ code: 'canceled', retryable: false });
  });

  test('ends its children and grandchildren, deaf or not', async () => {
    const { session, fail, lines } = await startScript(family('wait'));
    const failure = fail();
    const pids = await pidsOf(lines);
    expect(await Promise.all(pids.map(isAlive))).toEqual([true, true]);
    expect(await session.stop(100)).toBe('killed');
    expect(await Promise.all(pids.map(isAlive))).toEqual([false, false]);
    expect(await failure).toMatchObject({ code: 'canceled' });
  });

  test('gives its children the same time, though their parent ends at once', async () => {
    const script = `sh -c 'trap "sleep 0.3; echo cleaned up; exit" TERM; echo waiting; while :; do sleep 0.05; done' & wait`;
    const { session, fail, says, texts } = await startScript(script);
    const failure = fail();
    await says('waiting');
    expect(await session.stop(60_000)).toBe('stopped');
    await failure;
    expect(texts()).toContain('cleaned up');
  });

  test('with less grace overtakes one with more', async () => {
    const { session, fail, says } = await startScript(
      'trap "" TERM; echo waiting; while :; do sleep 0.05; done',
    );
    const failure = fail();
    await says('waiting');
    const patient = session.stop(600_000);
    expect(await session.stop(0)).toBe('killed');
    expect(await patient).toBe('killed');
    expect(await failure).toMatchObject({ code: 'canceled' });
  });

  test('does not wait for lines that nobody takes', async () => {
    const { session } = await startScript('while :; do echo line; done');
    const taken = Promise.withResolvers<void>();
    const came = Promise.withResolvers<void>();
    const onLog = () => {
      came.resolve();
      return taken.promise;
    };
    const failure = failureOf(
      session.execute({ parameters: {}, files: {} }, { onLog, onProgress: () => {} }),
    );
    await came.promise;
    expect(await session.stop(100)).toBe('stopped');
    taken.resolve();
    expect(await failure).toMatchObject({ code: 'canceled' });
  });

  test('before it has started leaves nothing behind', async () => {
    const { session, fail } = await startScript('echo no');
    expect(await session.stop(1_000)).toBe('stopped');
    expect(await fail()).toMatchObject({ code: 'canceled' });
    expect(session.pid).toBeUndefined();
  });
});

describe('what a program has started', () => {
  test('ends with it', async () => {
    const { execute, lines } = await startScript(family('sleep 0.3'));
    await execute();
    expect(await Promise.all((await pidsOf(lines)).map(isAlive))).toEqual([false, false]);
  });

  test('is not waited for when it has left the process group and holds the output open', async () => {
    const { execute, lines } = await startScript(`setsid sh -c 'echo $$; exec sleep 600' & sleep 0.3`);
    await expect(execute()).resolves.toMatchObject({ files: [] });
    const [pid = 0] = await pidsOf(lines);
    expect(await isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });

  test('dies with the agent, as it does itself', async () => {
    const program = fileURLToPath(
      new URL('../../../../tests/fixtures/functions/busy-agent.ts', import.meta.url),
    );
    const agent = spawn(process.execPath, [program, sessionFolder(), 'command'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [text] = (await once(agent.stdout.setEncoding('utf8'), 'data')) as [string];
    const pids = text.trim().split(' ').map(Number);
    expect(await Promise.all(pids.map(isAlive))).toEqual([true, true]);
    agent.kill('SIGKILL');
    await waitFor(async () => !(await Promise.all(pids.map(isAlive))).includes(true), {
      what: 'the end of the programs whose agent was killed',
    });
  });
});

const untilMarked = '(until [ "$(cat /proc/self/oom_score_adj)" = 1000 ]; do sleep 0.05; done; echo 1000)';

test.each([
  ['a program', () => startScript(untilMarked)],
  ['a function', () => start('tells-oom')],
])('the kernel, out of memory, ends %s rather than the agent', async (_, begin) => {
  const own = Number(await readFile('/proc/self/oom_score_adj', 'utf8'));
  const { execute, texts } = await begin();
  await execute();
  expect(Number(texts()[0])).toBe(1000);
  expect(own).toBeLessThan(1000);
});
