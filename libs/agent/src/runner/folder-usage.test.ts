import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { aFolder } from '../../../../tests/support/folder.ts';
import { folderUsage } from './folder-usage.ts';

test('a folder is measured with all that is in it, without what it only points to or leaves out', async () => {
  const folder = await aFolder('usage');
  await mkdir(join(folder.path, 'a/b'), { recursive: true });
  await writeFile(join(folder.path, 'a/one'), Buffer.alloc(3 * 1024 ** 2, 1));
  for (let file = 0; file < 200; file++)
    await writeFile(join(folder.path, 'a/b', String(file)), Buffer.alloc(20_000, 1));
  await writeFile(join(folder.path, 'sparse'), '');
  await truncate(join(folder.path, 'sparse'), 1e12);
  await symlink('/', join(folder.path, 'everything'));
  const { mebibytes, entries } = await folderUsage(folder.path);
  expect(entries).toBe(205);
  expect(mebibytes).toBeGreaterThanOrEqual(3 + (200 * 20_000) / 1024 ** 2);
  expect(mebibytes).toBeLessThan(10);
  await folder.remove();
  expect(await folderUsage(folder.path)).toEqual({ mebibytes: 0, entries: 0 });
});
