import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '@perdure/job/json';
import { isAlive } from '../../../../tests/support/alive.ts';
import { waitFor } from '../../../../tests/support/wait.ts';
import { openSession } from './session.ts';
import { failureOf, functionOf, manageSessions, odd, sessionFolder, start } from './testing/sessions.ts';

manageSessions();

describe('a session', () => {
  test('keeps its process from validate to execute', async () => {
    const { session, validate, execute } = await start('counts-calls');
    await validate();
    const { output } = await execute();
    expect(output).toEqual({ calls: 2, pid: session.pid });
  });

  test('replaces a process that has died', async () => {
    const { execute, fail } = await start('exits');
    await expect(execute({ code: 0 })).rejects.toMatchObject({ code: 'process-exited' });
    expect((await fail({ code: 7 })).message).toContain('code 7');
  });

  test('replaces a process that has given up', async () => {
    const { fail } = await start('throws-later');
    const messages = [await fail(), await fail()].map(({ message }) => message);
    expect(messages).toEqual(Array(2).fill('An error was thrown and nobody caught it: too late'));
  });

  test('runs one stage at a time', async () => {
    const { execute, says, session } = await start('is-polite');
    const first = failureOf(execute());
    await says('waiting');
    await expect(execute()).rejects.toThrow('one stage at a time');
    await session.kill();
    await first;
  });

  test('refuses parameters that break the schema, in both stages', async () => {
    const { validate, fail } = await start('count', { pack: 'reference' });
    const wanted = {
      code: 'invalid-parameters',
      retryable: false,
      details: [{ pointer: '/to', detail: expect.any(String) }],
    };
    await expect(validate({ to: 'many' })).rejects.toMatchObject(wanted);
    expect(await fail({ to: 'many' })).toMatchObject(wanted);
  });

  test('runs an inline function without a process', async () => {
    const { session, execute } = await start('echo', { pack: 'reference' });
    await expect(execute({ a: [1] })).resolves.toEqual({ output: { echo: { a: [1] } }, files: [] });
    expect(session.pid).toBeUndefined();
  });

  test('does not hand down the environment of the agent', async () => {
    const { execute, scratch } = await start('tells-surroundings');
    const { output } = await execute();
    expect(output).toMatchObject({ folder: scratch, temporary: scratch });
    const names = Object.keys((output?.['env'] ?? {}) as JsonObject).filter(
      (name) => !name.startsWith('NODE_CHANNEL'),
    );
    expect(names.sort()).toEqual(['LANG', 'PATH', 'TMPDIR']);
  });
});

describe('a failure', () => {
  test.each([
    ['throws', {}, 'execution-failed', true, 'it broke'],
    ['throws-text', {}, 'execution-failed', true, 'only text'],
    ['throws-fatal', {}, 'execution-failed', false, 'for good'],
    ['throws-retryable', {}, 'execution-failed', true, 'for now'],
    ['exits', { code: 3 }, 'process-exited', true, 'exited with code 3'],
    ['exits', { code: 0 }, 'process-exited', true, 'exited with code 0'],
    ['is-killed', {}, 'process-exited', true, 'signal SIGKILL'],
    ['aborts', {}, 'process-exited', true, 'signal SIGABRT'],
    ['leaves-rejection', {}, 'execution-failed', true, 'nobody handled it: nobody looks'],
    ['throws-later', {}, 'execution-failed', true, 'nobody caught it: too late'],
    ['never-settles', {}, 'execution-failed', true, 'never came to an end'],
    ['returns', { value: { number: 'one' } }, 'output-invalid', false, '/number'],
    ['returns', {}, 'output-invalid', false, 'the whole'],
    ['returns-anything', { length: 2_000_000 }, 'output-invalid', false, 'larger than'],
    ['returns-anything', { length: 0, big: true }, 'output-invalid', false, 'not JSON'],
    ['writes-reports', {}, 'output-invalid', false, 'cannot be read'],
    ['hands-over-undeclared', {}, 'output-invalid', false, 'declares no files'],
  ])('%s %j is told as %s', async (name, parameters, code, retryable, message) => {
    const { fail } = await start(name);
    expect(await fail(parameters)).toMatchObject({
      code,
      retryable,
      message: expect.stringContaining(message),
    });
  });

  test('of validate keeps its code and the places', async () => {
    const { validate } = await start('refuses');
    await expect(validate()).rejects.toMatchObject({
      code: 'invalid-model',
      retryable: false,
      message: 'the model is a picture',
      details: [{ pointer: 'line 1', detail: 'no' }],
    });
  });

  test('that the function did not declare leaves its stack in the log', async () => {
    const { fail, texts } = await start('throws');
    await fail();
    expect(texts()[0]).toBe('TypeError: it broke');
  });

  test('of a process that cannot be started is told', async () => {
    const { session, scratch, fail } = await start('throws');
    await session.kill();
    expect(await fail()).toMatchObject({ code: 'canceled' });
    const definition = await functionOf(odd, 'throws');
    const gone = openSession({ pack: odd, definition, scratch: `${scratch}/none` });
    await expect(
      gone.execute({ parameters: {}, files: {} }, { onLog: () => {}, onProgress: () => {} }),
    ).rejects.toMatchObject({
      code: 'process-exited',
      message: expect.stringContaining('could not be started'),
    });
  });
});

describe('a stop', () => {
  test('lets a polite function clean up', async () => {
    const { session, fail, says, texts } = await start('is-polite');
    const failure = fail();
    await says('waiting');
    expect(await session.stop(60_000)).toBe('stopped');
    expect(await failure).toMatchObject({ code: 'canceled', retryable: false });
    expect(texts()).toEqual(['waiting', 'cleaned up']);
    expect(await isAlive(session.pid ?? 0)).toBe(false);
  });

  test.each(['is-deaf', 'is-busy'])('kills the function that %s after the grace time', async (name) => {
    const { session, fail, lines } = await start(name);
    const failure = fail();
    await waitFor(() => lines.length > 0, { what: 'the first line' });
    expect(await session.stop(300)).toBe('killed');
    expect(await failure).toMatchObject({ code: 'canceled', retryable: false });
    expect(await isAlive(session.pid ?? 0)).toBe(false);
  });

  test('ends what the function has started', async () => {
    const { session, fail, lines } = await start('has-children');
    const failure = fail({ wait: true });
    await waitFor(() => lines.length > 0, { what: 'the pids' });
    const pids = lines[0]?.text.split(' ').map(Number) ?? [];
    expect(await Promise.all(pids.map(isAlive))).toEqual([true, true]);
    await session.stop(0);
    expect(await failure).toMatchObject({ code: 'canceled' });
    await waitFor(async () => !(await Promise.all(pids.map(isAlive))).includes(true), {
      what: 'the end of the grandchildren',
    });
  });

  test('with less grace overtakes one with more', async () => {
    const { session, fail, says } = await start('is-deaf');
    const failure = fail();
    await says('waiting');
    const patient = session.stop(600_000);
    expect(await session.stop(0)).toBe('killed');
    expect(await patient).toBe('killed');
    expect(await failure).toMatchObject({ code: 'canceled' });
  });

  test('does not wait for lines that nobody takes', async () => {
    const { session } = await start('is-polite');
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
    await session.stop(100);
    expect(await isAlive(session.pid ?? 0)).toBe(false);
    taken.resolve();
    expect(await failure).toMatchObject({ code: 'canceled' });
  });

  test('before the first stage leaves nothing behind', async () => {
    const { session, fail } = await start('is-polite');
    expect(await session.stop(1_000)).toBe('stopped');
    expect(await fail()).toMatchObject({ code: 'canceled' });
    expect(session.pid === undefined || !(await isAlive(session.pid))).toBe(true);
  });

  test.each([
    ['inline-polite', 60_000, 'stopped'],
    ['inline-deaf', 100, 'killed'],
  ])('of %s ends the wait for it', async (name, graceMs, how) => {
    const { session, fail } = await start(name);
    const failure = fail();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await session.stop(graceMs)).toBe(how);
    expect(await failure).toMatchObject({ code: 'canceled', retryable: false });
  });

  test('is not needed for what a finished function has left running', async () => {
    const { session, execute, lines } = await start('has-children');
    await execute({});
    const pids = lines[0]?.text.split(' ').map(Number) ?? [];
    await session.kill();
    await waitFor(async () => !(await Promise.all(pids.map(isAlive))).includes(true), {
      what: 'the end of the grandchildren',
    });
  });
});

test('a busy function does not block the agent, and dies with it', async () => {
  const program = fileURLToPath(
    new URL('../../../../tests/fixtures/functions/busy-agent.ts', import.meta.url),
  );
  const agent = spawn(process.execPath, [program, sessionFolder()], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [pid] = (await once(agent.stdout.setEncoding('utf8'), 'data')) as [string];
  expect(await isAlive(Number(pid))).toBe(true);
  agent.kill('SIGKILL');
  await waitFor(async () => !(await isAlive(Number(pid))), {
    what: 'the end of the process whose agent was killed',
  });
});
