import { describe, expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { root } from './copy.ts';
import { rooms, tests } from './rooms.ts';

const files = globSync('{apps,libs,tests,examples}/**/*.{ts,js,mjs}', {
  cwd: root,
  exclude: (path) => ['node_modules', 'dist'].includes(basename(path)),
});

function matches(path: string, pattern: string): boolean {
  return new RegExp(pattern).test(path);
}

describe('the sources', () => {
  test('no file has more than 300 lines', () => {
    const lengths = files
      .filter((path) => path !== 'libs/client/src/generated.ts')
      .map((path) => [path, readFileSync(join(root, path), 'utf8').split('\n').length - 1] as const);
    expect(lengths.filter(([, lines]) => lines > 300)).toEqual([]);
  });

  test('files are named in kebab-case', () => {
    const name = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*\.(ts|js|mjs)$/;
    expect(files.filter((path) => !name.test(basename(path)))).toEqual([]);
  });

  test('each file is in one room, or is a test', () => {
    const lines = Object.values(rooms).map((room) => room.files);
    const product = files.filter((path) => !tests.some((pattern) => matches(path, pattern)));
    const homes = product.map((path) => [path, lines.filter((pattern) => matches(path, pattern)).length]);
    expect(homes.filter(([, count]) => count !== 1)).toEqual([]);
  });
});
