import { expect, test } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import { readArguments } from './arguments.ts';
import { makeOutput } from './output.ts';
import { readable } from './readable.ts';

test('the lines of a child stand behind its name, and are kept back while they are held, to be shown or dropped', () => {
  const written: string[] = [];
  const output = makeOutput((text) => written.push(stripVTControlCharacters(text)));
  const release = output.hold();
  output.line('api', 'hello');
  output.say('Perdure speaks');
  expect(written).toEqual(['Perdure speaks\n']);
  release('show');
  expect(written.slice(1)).toEqual(['api          │ hello\n']);
  const drop = output.hold();
  output.line('api', 'never mind');
  drop('drop');
  expect(written).toHaveLength(2);
});

test('structured log becomes readable, all else stays as it is', () => {
  const line = JSON.stringify({
    level: 40,
    time: 0,
    pid: 7,
    hostname: 'h',
    msg: 'slow',
    jobId: 'a',
    took: { ms: 5 },
  });
  expect(stripVTControlCharacters(readable(line))).toMatch(
    /^\d\d:\d\d:\d\d warn {2}slow jobId=a took=\{"ms":5\}$/,
  );
  for (const other of ['plain', '{broken', '{"no":"levels"}', 'null', ''])
    expect(readable(other)).toBe(other);
});

test('arguments are read, and one that is unknown is named with the usage', () => {
  expect(readArguments([])).toEqual({ once: false, example: true, help: false });
  expect(readArguments(['--once', '--no-example'])).toEqual({ once: true, example: false, help: false });
  expect(() => readArguments(['--onec'])).toThrow(/--onec[^]*--no-example/);
});
