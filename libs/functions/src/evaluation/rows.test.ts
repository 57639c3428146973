import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { InputError } from '../errors.ts';
import { maxProblems } from './problems.ts';
import { type Reading, readBatches } from './rows.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'rows-'))));
afterAll(() => rm(folder, { recursive: true }));

async function read(content: string | Uint8Array, given: Partial<Reading> = {}): Promise<number[][]> {
  const path = join(folder, 'data.csv');
  await writeFile(path, content);
  const batches: number[][] = [];
  const reading: Reading = {
    path,
    features: ['a', 'b'],
    precision: 'float32',
    batchSize: 2,
    ignoreExtraColumns: false,
    ...given,
  };
  for await (const { matrix, rows } of readBatches(reading))
    batches.push([...matrix.subarray(0, rows * reading.features.length)]);
  return batches;
}

async function problems(content: string | Uint8Array, given: Partial<Reading> = {}): Promise<string[]> {
  const failure = await read(content, given).then(
    () => Promise.reject(new Error('nothing was wrong')),
    (error: InputError) => error,
  );
  expect(failure.code).toBe('invalid-input');
  expect(failure.details.length).toBeLessThanOrEqual(maxProblems);
  expect(failure.message).toContain(failure.details[0]?.pointer);
  return failure.details.map(({ pointer, detail }) => `${pointer}: ${detail}`);
}

describe('rows are read', () => {
  test.each([
    [
      'in batches',
      'a,b\n1,2\n3,4\n5,6\n',
      [
        [1, 2, 3, 4],
        [5, 6],
      ],
    ],
    ['without a last line end', 'a,b\n1,2', [[1, 2]]],
    ['with CRLF and a byte order mark', '\ufeffa,b\r\n1,2\r\n', [[1, 2]]],
    ['by name, in any order', 'b,a\n2,1\n', [[1, 2]]],
    ['quoted and with blanks', '"a", b\n" 1",+2 \n', [[1, 2]]],
    ['with exponents and signs', 'a,b\n-1.5e2,.5\n1.,0\n', [[-150, 0.5, 1, 0]]],
  ])('%s', async (_, content, batches) => {
    await expect(read(content)).resolves.toEqual(batches);
  });

  test('without columns that may be ignored, even when they are no numbers or come twice', async () => {
    await expect(read('x,a,,x,b\nred,1,,blue,2\n', { ignoreExtraColumns: true })).resolves.toEqual([[1, 2]]);
  });

  test('no further than asked', async () => {
    await expect(read('a,b\n1,2\n3,4\n5,wrong\n', { maxRows: 2 })).resolves.toEqual([[1, 2, 3, 4]]);
  });
});

describe('a header is refused', () => {
  test.each([
    ['a missing column', 'a\n1\n', ['line 1, column b: the column is missing']],
    [
      'an extra column',
      'a,b,c\n',
      ['line 1, column c: the model takes no such column (ignoreExtraColumns: true lets it pass)'],
    ],
    ['a column without a name', ',a,b\n', ['line 1: column 1 has no name']],
    ['a column that comes twice', 'a,b,a\n', ['line 1, column a: the column stands there twice']],
    [
      'another case',
      'A,b\n',
      [
        'line 1, column a: the column is missing',
        expect.stringContaining('line 1, column A: the model takes'),
      ],
    ],
    [
      'another delimiter',
      'a;b\n1;2\n',
      [expect.stringContaining('cells are separated by commas, not by ";"')],
    ],
    [
      'no header at all',
      '1,2\n3,4\n',
      [expect.stringContaining("line 1: none of the model's columns (a, b) is in the header")],
    ],
    ['an empty file', '', ['line 1: the file is empty; a header is needed']],
    ['a header and no row', 'a,b\n', ['line 2: there is a header, but no row']],
  ])('for %s', async (_, content, expected) => {
    await expect(problems(content)).resolves.toEqual(expected);
  });

  test('of a file that is no CSV', async () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 256);
    expect(await problems(bytes)).toHaveLength(1);
  });
});

describe('rows are refused, each with its place', () => {
  test.each([
    ['text', 'a,b\n1,2\n3,red\n', ["line 3, column b: 'red' is not a number"]],
    ['an empty cell', 'a,b\n1,\n', ['line 2, column b: the cell is empty; a number is needed']],
    [
      'what JavaScript takes for a number',
      'a,b\n0x10,Infinity\n',
      ["line 2, column a: '0x10' is not a number", "line 2, column b: 'Infinity' is not a number"],
    ],
    ['NaN', 'a,b\nNaN,1\n', ["line 2, column a: 'NaN' is not a number"]],
    [
      'a number beyond 32 bits',
      'a,b\n1e39,1\n',
      ["line 2, column a: 1e39 is too large for the model's numbers"],
    ],
    ['an empty row', 'a,b\n1,2\n\n3,4\n', ['line 3: the row is empty']],
    ['an empty last row', 'a,b\n1,2\n\n', ['line 3: the row is empty']],
    ['a short row', 'a,b\n1\n', ['line 2: the row has 1 cells, the header has 2']],
    ['a long row', 'a,b\n1,2,3\n', ['line 2: the row has 3 cells, the header has 2']],
    [
      'a quotation mark that is never closed',
      'a,b\n1,"2\n3,4\n',
      ['line 2: a quotation mark is never closed'],
    ],
    ['a cell that spans lines', 'a,b\n"1\n",2\n3,red\n', ["line 4, column b: 'red' is not a number"]],
    ['a quotation mark inside a cell', 'a,b\n1,2\n3,4"5\n', [expect.stringMatching(/^line 3: not CSV: /)]],
    [
      'several places',
      'a,b\nx,y\n1,2\n\n',
      [
        "line 2, column a: 'x' is not a number",
        "line 2, column b: 'y' is not a number",
        'line 4: the row is empty',
      ],
    ],
  ])('for %s', async (_, content, expected) => {
    await expect(problems(content)).resolves.toEqual(expected);
  });

  test('up to a bound', async () => {
    expect(await problems(`a,b\n${'x,y\n'.repeat(1_000)}`)).toHaveLength(maxProblems);
  });

  test('for a row too long to be one', async () => {
    expect(await problems(`a,b\n${'1'.repeat(5_000_000)}`)).toEqual([
      expect.stringContaining('is this a CSV file?'),
    ]);
  });

  test('with foreign text cut and cleaned', async () => {
    const [first] = await problems(`a,b\n1,${'\u0001'.repeat(500)}\n`);
    expect(first).toBe(`line 2, column b: '${'\uFFFD'.repeat(59)}…' is not a number`);
  });

  test('a number beyond 32 bits is none beyond 64', async () => {
    await expect(read('a,b\n1e39,1\n', { precision: 'float64' })).resolves.toEqual([[1e39, 1]]);
    await expect(problems('a,b\n1e999,1\n', { precision: 'float64' })).resolves.toEqual([
      expect.stringContaining('too large'),
    ]);
  });
});
