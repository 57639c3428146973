import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { manageSessions, startCommand, startScript } from './testing/sessions.ts';

manageSessions();

const fileId = '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70';
const node = (script: string) => ({ program: process.execPath, args: ['-e', script] });

describe('a program', () => {
  test('has what it writes handed on in order, with stream and level', async () => {
    const { execute, lines } = await startScript('printf "one\\n\\ntwo\\r\\nno end"; echo oh >&2');
    await expect(execute()).resolves.toEqual({ output: null, files: [] });
    const of = (stream: string) =>
      lines.filter((line) => line.stream === stream).map(({ text, level }) => [text, level]);
    expect(of('stdout')).toEqual(['one', '', 'two', 'no end'].map((text) => [text, 'info']));
    expect(of('stderr')).toEqual([['oh', 'warn']]);
  });

  test('has its lines handed on as they come', async () => {
    const { session, execute, says } = await startScript('echo early; sleep 600');
    const done = execute().catch((failure: unknown) => failure);
    await says('early');
    await session.kill();
    await done;
  });

  test('gets texts as they are: no shell ever sees them', async () => {
    const words = [
      '$(touch pwned)',
      '`id`',
      '; ls',
      '&& ls',
      '|',
      '> x',
      '*',
      '~',
      '"',
      "'",
      'a  b',
      '%PATH%',
      '$HOME',
    ];
    const { execute, texts } = await startCommand({
      ...node('console.log(JSON.stringify(process.argv.slice(1)))'),
      args: ['-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', '{{words}}', '--x={{free}}'],
      parameters: {
        type: 'object',
        properties: { words: { type: 'array', items: { type: 'string' } }, free: { type: 'string' } },
      },
      freeText: ['free'],
    });
    await execute({ words, free: '$(id) > /tmp/x; "' });
    expect(JSON.parse(texts()[0] ?? '')).toEqual([...words, '--x=$(id) > /tmp/x; "']);
  });

  test('refuses what could be an option or a path, in both stages, and does not start', async () => {
    const { session, validate, fail } = await startCommand({
      program: 'rm',
      args: ['{{x}}'],
      parameters: { type: 'object', properties: { x: { type: 'string' } } },
    });
    for (const x of ['-rf', '/etc/passwd', '..']) {
      const refused = { code: 'invalid-parameters', retryable: false, details: [{ pointer: '/x' }] };
      await expect(validate({ x })).rejects.toMatchObject(refused);
      expect(await fail({ x })).toMatchObject(refused);
    }
    expect(session.pid).toBeUndefined();
  });

  test('has the scratch folder, the declared variables, and nothing to read', async () => {
    const script = `
      const stdin = require('fs').readFileSync(0, 'utf8');
      console.log(JSON.stringify({ stdin, folder: process.cwd(), env: process.env }));`;
    const { execute, texts, scratch } = await startCommand({
      ...node(script),
      env: { set: { MODE: 'fast' } },
    });
    await execute();
    const { env, ...rest } = JSON.parse(texts()[0] ?? '');
    expect(rest).toEqual({ stdin: '', folder: scratch });
    expect(env).toEqual({ LANG: 'C.UTF-8', MODE: 'fast', PATH: expect.any(String), TMPDIR: scratch });
  });

  test.each([
    [
      'echo first; echo one >&2; echo two >&2; exit 3',
      'The program exited with code 3. Its last lines on stderr:\none\ntwo',
    ],
    ['exit 1', 'The program exited with code 1'],
    ['kill -KILL $$', 'signal SIGKILL (often'],
    ['for i in $(seq 1000); do echo $i >&2; done; exit 2', 'stderr:\n996\n997\n998\n999\n1000'],
  ])('that ends badly is told so: %s', async (script, message) => {
    const { fail } = await startScript(script);
    const failure = await fail();
    expect(failure).toMatchObject({ code: 'execution-failed', retryable: true });
    expect(failure.message).toContain(message);
  });

  test.each([
    ['no-such-program', [], {}, 'ENOENT'],
    ['/etc/passwd', [], {}, 'EACCES'],
    ['echo', ['{{x}}'], { x: Array(40).fill('x'.repeat(99_000)) }, 'E2BIG'],
  ])('that cannot be started is told so: %s', async (program, args, parameters, code) => {
    const schema = { type: 'object', properties: { x: { type: 'array', items: { type: 'string' } } } };
    const { fail } = await startCommand({ program, args, parameters: schema });
    expect(await fail(parameters)).toMatchObject({
      code: 'execution-failed',
      message: expect.stringMatching(`could not be started.*${code}.*installed`),
    });
  });
});

describe('the files of a program', () => {
  test('are those that the globs name, each once, with media types', async () => {
    const script = 'mkdir -p d/e; for f in a.csv d/b.json d/e/c.unheard d/not.txt; do echo $f > $f; done';
    const { execute, scratch } = await startScript(script, {
      outputs: ['**/*.{csv,json}', 'd/e/*', 'd', '*.csv'],
      result: 'a.csv',
    });
    const { files } = await execute();
    expect(files.map(({ name, mediaType, size }) => [name, mediaType, size])).toEqual([
      ['a.csv', 'text/csv', 6],
      ['b.json', 'application/json', 9],
      ['c.unheard', 'application/octet-stream', 14],
    ]);
    expect(files[1]?.path).toBe(join(scratch, 'd/b.json'));
  });

  test('never lie behind a link', async () => {
    const script =
      'ln -s /etc etc; ln -s /etc/passwd host.txt; mkdir d; echo > d/x.txt; ln -s d e; ln -s . f';
    const { execute } = await startScript(script, {
      outputs: ['**', 'etc/passwd', 'e/*', 'f/f/d/*', '*.txt'],
    });
    expect((await execute()).files.map(({ name }) => name)).toEqual(['x.txt']);
  });

  test('are not what was fetched for it', async () => {
    const { execute, scratch } = await startCommand({
      program: 'cp',
      args: ['{{data}}', 'copy.txt'],
      parameters: { type: 'object', properties: { data: { type: 'string', format: 'perdure-file' } } },
      outputs: ['**'],
    });
    const path = join(scratch, 'input.txt');
    await writeFile(path, 'hello');
    const { files } = await execute({ data: fileId }, { [fileId]: path });
    expect(files.map(({ name }) => name)).toEqual(['copy.txt']);
    expect(await readFile(files[0]?.path ?? '', 'utf8')).toBe('hello');
  });

  test.each([
    ['a result that is missing', 'true', { result: 'a.csv' }, 'did not hand it over'],
    ['a result that is a link', 'ln -s /etc/passwd a.csv', { result: 'a.csv' }, 'did not hand it over'],
    ['two of one name', 'mkdir d; echo > a; echo > d/a', { outputs: ['**'] }, "two files named 'a'"],
    ['too many', 'for i in $(seq 1100); do echo > $i; done', { outputs: ['*'] }, '1000 are the limit'],
  ])('are refused where there is %s', async (_, script, declared, message) => {
    const { fail } = await startScript(script, declared);
    expect(await fail()).toMatchObject({ code: 'output-invalid', message: expect.stringContaining(message) });
  });

  test('are those of this try, not of the one before', async () => {
    const { execute, fail, scratch } = await startScript('echo > $$.txt; [ -e inputs/second ]', {
      outputs: ['*.txt'],
    });
    expect((await fail()).message).toContain('code 1');
    const input = join(scratch, 'inputs/second');
    await mkdir(join(scratch, 'inputs'));
    await writeFile(input, '');
    expect((await execute({}, { [fileId]: input })).files).toHaveLength(1);
  });
});
