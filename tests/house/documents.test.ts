import { describe, expect, test } from '@jest/globals';
import { errorCodes, errors } from '@perdure/job/errors';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { statusOf } from '../../apps/api/src/http/statuses.ts';
import { root } from './copy.ts';

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The cells of each row of the Markdown tables in `text`, without their heads. */
function rowsIn(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s|:-]*\|$/.test(line))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

describe('docs/errors.md', () => {
  const rows = rowsIn(read('docs/errors.md')).filter(([code]) => code?.startsWith('`'));

  test('lists each code of the registry once, and no other', () => {
    expect(rows.map(([code]) => code?.slice(1, -1)).sort()).toEqual([...errorCodes].sort());
  });

  test.each(errorCodes)('says of %s what the registry and the API say, and what to do', (code) => {
    const row = rows.find(([first]) => first === `\`${code}\``);
    expect(row?.slice(1, 3)).toEqual([String(statusOf[code]), errors[code]]);
    expect(row?.[3]).toMatch(/^[A-Z`].{3,}\.$/);
  });
});

describe('the documents', () => {
  const whereIs = read('README.md').split('## Where is …?')[1]?.split('\n## ')[0] ?? '';
  const named = (text: string): string[] =>
    [...text.matchAll(/`((?:apps|libs|tests|docs|examples)\/[^\s`*]+|\.[a-z]+\.[a-z]+)`/g)].map(
      ([, path = '']) => path,
    );

  test('"Where is …?" answers at least six questions', () => {
    expect(rowsIn(whereIs).filter(([question]) => question !== '').length).toBeGreaterThanOrEqual(6);
  });

  const pages = [
    'README.md',
    'docs/api.md',
    'docs/way-of-a-job.md',
    ...readdirSync(join(root, 'docs/decisions')).map((name) => `docs/decisions/${name}`),
  ];
  const paths = pages.flatMap((page) => named(read(page)).map((path) => [page, path] as const));

  test.each(paths)('%s names %s, which exists', (_, path) => {
    expect(existsSync(join(root, path))).toBe(true);
  });

  test('decisions are numbered 0001, 0002, 0003 …', () => {
    const numbers = readdirSync(join(root, 'docs/decisions')).map((name) => Number(name.slice(0, 4)));
    expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, index) => index + 1));
  });
});
