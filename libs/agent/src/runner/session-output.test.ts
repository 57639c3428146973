import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { logLimits } from './log-intake.ts';
import { manageSessions, start } from './testing/sessions.ts';

manageSessions();

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
