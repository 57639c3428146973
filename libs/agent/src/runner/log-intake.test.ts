import { expect, test } from '@jest/globals';
import type { LogLine } from './contract.ts';
import { logIntake, now } from './log-intake.ts';

const limits = { lines: 3, characters: 1_000, lineLength: 10 };
const aLine = (text: string): LogLine => ({ at: now(), stream: 'stdout', level: 'info', text });

test('lines are handed on one at a time, in their order', async () => {
  const taken: string[] = [];
  let open = 0;
  const intake = logIntake(async ({ text }) => {
    expect((open += 1)).toBe(1);
    await Promise.resolve();
    taken.push(text);
    open -= 1;
  }, limits);
  for (const text of ['a', 'b', 'c']) void intake.take(aLine(text));
  await intake.finish();
  expect(taken).toEqual(['a', 'b', 'c']);
});

test('beyond the limit there are two markers: where it begins, and how many it were', async () => {
  const taken: string[] = [];
  const intake = logIntake(({ text }) => void taken.push(text), limits);
  for (let line = 1; line <= 10; line++) await intake.take(aLine(`line ${line}`));
  await intake.finish();
  expect(taken).toEqual([
    'line 1',
    'line 2',
    'line 3',
    expect.stringContaining('dropped from here on'),
    '7 lines were dropped',
  ]);
});

test('long lines are cut, and what PostgreSQL cannot store is replaced', async () => {
  const taken: string[] = [];
  const intake = logIntake(({ text }) => void taken.push(text), limits);
  await intake.take(aLine('0123456789abc'));
  await intake.take(aLine('0123456789'), 5);
  await intake.take(aLine('a\u0000b'));
  expect(taken).toEqual([
    '0123456789… (3 more characters cut)',
    '0123456789… (5 more characters cut)',
    'a\uFFFDb',
  ]);
});

test('a reader that fails stops neither the function nor the next line', async () => {
  let taken = 0;
  const intake = logIntake(() => {
    taken += 1;
    throw new Error('no');
  }, limits);
  await intake.take(aLine('a'));
  await intake.take(aLine('b'));
  await intake.finish();
  expect(taken).toBe(2);
});
