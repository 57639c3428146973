import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '@perdure/job/json';
import { isAlive } from '../../../../tests/support/alive.ts';
import { waitFor } from '../../../../tests/support/wait.ts';
import { logLimits } from './log-intake.ts';
import {
  type FunctionFailure,
  type LogLine,
  openSession,
  type ProgressReport,
  type Session,
} from './session.ts';

const odd = new URL('../../../../tests/fixtures/functions/odd.ts', import.meta.url).href;
let folder: string;
const open: Session[] = [];

beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'session-'))));
afterEach(async () => void (await Promise.all(open.splice(0).map((session) => session.kill()))));
afterAll(() => rm(folder, { recursive: true }));

async function start(functionName: string, pack = odd) {
  const scratch = await mkdtemp(join(folder, 'job-'));
  const session = openSession({ pack, functionName, functionVersion: '1.0.0', scratch });
  open.push(session);
  const lines: LogLine[] = [];
  const progress: ProgressReport[] = [];
  const hooks = {
    onLog: (line: LogLine) => void lines.push(line),
    onProgress: (one: ProgressReport) => void progress.push(one),
  };
  const given = (parameters: JsonObject) => ({ parameters, files: {} });
  return {
    session,
    scratch,
    lines,
    progress,
    hooks,
    texts: () => lines.map(({ text }) => text),
    validate: (parameters: JsonObject = {}) => session.validate(given(parameters), hooks),
    execute: (parameters: JsonObject = {}) => session.execute(given(parameters), hooks),
    /** The failure of `execute`. */
    fail: (parameters: JsonObject = {}) => failureOf(session.execute(given(parameters), hooks)),
    says: (text: string) =>
      waitFor(() => lines.some((line) => line.text === text), { what: `the line '${text}'` }),
  };
}

async function failureOf(stage: Promise<unknown>): Promise<FunctionFailure> {
  return stage.then(
    () => Promise.reject(new Error('no failure')),
    (failure: FunctionFailure) => failure,
  );
}

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
    const { validate, fail } = await start('count', 'reference');
    const wanted = {
      code: 'invalid-parameters',
      retryable: false,
      details: [{ pointer: '/to', detail: expect.any(String) }],
    };
    await expect(validate({ to: 'many' })).rejects.toMatchObject(wanted);
    expect(await fail({ to: 'many' })).toMatchObject(wanted);
  });

  test('tells that the pack has no such function', async () => {
    const { validate } = await start('no-such-thing');
    await expect(validate()).rejects.toMatchObject({ code: 'unknown-function' });
  });

  test('runs an inline function without a process', async () => {
    const { session, execute } = await start('echo', 'reference');
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
    const gone = openSession({
      pack: odd,
      functionName: 'throws',
      functionVersion: '1.0.0',
      scratch: `${scratch}/none`,
    });
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
    await session.stop(60_000);
    expect(await failure).toMatchObject({ code: 'canceled', retryable: false });
    expect(texts()).toEqual(['waiting', 'cleaned up']);
    expect(await isAlive(session.pid ?? 0)).toBe(false);
  });

  test.each(['is-deaf', 'is-busy'])('kills the function that %s after the grace time', async (name) => {
    const { session, fail, lines } = await start(name);
    const failure = fail();
    await waitFor(() => lines.length > 0, { what: 'the first line' });
    await session.stop(300);
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
    await session.stop(0);
    await patient;
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
    await session.stop(1_000);
    expect(await fail()).toMatchObject({ code: 'canceled' });
    expect(session.pid === undefined || !(await isAlive(session.pid))).toBe(true);
  });

  test.each([
    ['inline-polite', 60_000],
    ['inline-deaf', 100],
  ])('of %s ends the wait for it', async (name, graceMs) => {
    const { session, fail } = await start(name);
    const failure = fail();
    await new Promise((resolve) => setImmediate(resolve));
    await session.stop(graceMs);
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
  const agent = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [pid] = (await once(agent.stdout.setEncoding('utf8'), 'data')) as [string];
  expect(await isAlive(Number(pid))).toBe(true);
  agent.kill('SIGKILL');
  await waitFor(async () => !(await isAlive(Number(pid))), {
    what: 'the end of the process whose agent was killed',
  });
});

describe('what a function writes', () => {
  test('arrives in order, before the stage ends, with its stream and level', async () => {
    const { execute, lines } = await start('writes');
    await execute({ stdout: 'one\n\ntwo\r\nno end', stderr: 'oh' });
    const of = (stream: string) =>
      lines.filter((line) => line.stream === stream).map(({ text, level }) => [text, level]);
    expect(of('stdout')).toEqual([
      ['one', 'info'],
      ['', 'info'],
      ['two', 'info'],
      ['no end', 'info'],
    ]);
    expect(of('stderr')).toEqual([['oh', 'warn']]);
    expect(lines.every(({ at }) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(at))).toBe(true);
  });

  test('is cut where a line is too long', async () => {
    const { execute, lines } = await start('writes');
    await execute({ stdout: `${'x'.repeat(200_000)}\nnext` });
    expect(lines[0]?.text.replace(/^x{8192}/, 'all kept')).toBe('all kept… (191808 more characters cut)');
    expect(lines[1]?.text).toBe('next');
  });

  test.each(['log', 'stdout'])('as a flood through %s is held up by a slow reader', async (through) => {
    const { session, hooks } = await start('floods');
    let taken = 0;
    const slow = async () => {
      taken += 1;
      if (taken % 1_000 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    };
    const { output } = await session.execute(
      { parameters: { lines: logLimits.lines / 2, through }, files: {} },
      { ...hooks, onLog: slow },
    );
    expect(taken).toBeGreaterThan(30_000);
    // 50 MB were written; a process without any function has about 90 MB.
    expect(output?.['megabytes']).toBeLessThan(160);
  });

  test('beyond the limit is counted, and a line says so', async () => {
    const { execute, texts } = await start('floods');
    await execute({ lines: 40_000, through: 'stdout' });
    expect(texts().at(-2)).toContain('Lines are dropped from here on');
    expect(texts().at(-1)).toMatch(/^\d+ lines were dropped$/);
    expect(texts().join('').length).toBeLessThan(logLimits.characters + 1_000);
  });

  test('is not waited for when it has closed its output', async () => {
    const { execute } = await start('closes-stdout');
    await expect(execute()).resolves.toEqual({ output: null, files: [] });
  });

  test('as progress is thinned, and the last is told', async () => {
    const { execute, progress } = await start('progresses');
    await execute();
    expect(progress.length).toBeLessThan(50);
    expect(progress[0]).toEqual({ done: 0, total: 10_000, unit: null, message: null });
    expect(progress.at(-1)).toEqual({ done: 10_000, total: 10_000, unit: null, message: null });
  });
});

describe('a file handed over', () => {
  const result = { name: 'result.txt', mediaType: 'text/plain', path: 'result.txt' };

  test('comes with its place and size', async () => {
    const { execute, scratch } = await start('hands-over');
    const { files } = await execute({ files: [result] });
    expect(files).toEqual([{ ...result, path: join(scratch, 'result.txt'), size: 9 }]);
    expect(await readFile(files[0]?.path ?? '', 'utf8')).toBe('well done');
  });

  test.each([
    ['the declared result is missing', { ...result, name: 'other.txt' }, 'did not hand it over'],
    ['the file is not there', { ...result, path: 'none' }, 'is not there'],
    ['it lies elsewhere', { ...result, path: '/etc/hostname' }, 'scratch folder'],
    ['a link leads elsewhere', { ...result, path: 'link.txt' }, 'scratch folder'],
    ['it is a folder', { ...result, path: '.' }, 'scratch folder'],
    ['the name is a path', { ...result, name: '../result.txt' }, 'plain name'],
    ['the media type is none', { ...result, mediaType: 'text' }, 'media type'],
  ])('is refused when %s', async (_, file, message) => {
    const { fail } = await start('hands-over');
    expect(await fail({ files: [file] })).toMatchObject({
      code: 'output-invalid',
      message: expect.stringContaining(message),
    });
  });

  test('is refused when two have one name', async () => {
    const { fail } = await start('hands-over');
    expect(await fail({ files: [result, result] })).toMatchObject({ code: 'output-invalid' });
  });
});
