import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Copy, copyWith, root, runIn } from './copy.ts';

let copy: Copy;
let report: string;

beforeAll(async () => {
  const ids = await readFile(join(root, 'libs/job/src/ids.ts'), 'utf8');
  const store = JSON.parse(await readFile(join(root, 'libs/store/package.json'), 'utf8'));
  store.dependencies['p-limit'] = '7.3.0';
  copy = await copyWith({
    'libs/job/src/ids.ts': `${ids}\nexport const plantedExport = 1;\n`,
    'libs/store/src/planted-file.ts': `export const planted = 1;\n`,
    'libs/store/package.json': JSON.stringify(store),
    'libs/store/src/planted-formatting.ts': `export const planted = "double"\n`,
  });
  report = await runIn(copy.folder, 'knip/bin/knip.js', ['--reporter', 'compact']);
}, 120_000);

afterAll(() => copy.remove());

test('an export that nobody uses is named', () => {
  expect(report).toMatch(/libs\/job\/src\/ids\.ts.*plantedExport/);
});

test('a file that nobody uses is named', () => {
  expect(report).toContain('libs/store/src/planted-file.ts');
});

test('a dependency that nobody uses is named', () => {
  expect(report).toMatch(/libs\/store\/package\.json.*p-limit/);
});

test('a file that is not formatted is named', async () => {
  const args = ['--check', 'libs/store/src'];
  expect(await runIn(copy.folder, 'prettier/bin/prettier.cjs', args)).toContain('planted-formatting.ts');
});
