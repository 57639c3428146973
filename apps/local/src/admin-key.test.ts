import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { aFolder } from '../../../tests/support/folder.ts';
import { adminKeyIn } from './admin-key.ts';

let folder: Awaited<ReturnType<typeof aFolder>>;
let file: string;
beforeEach(async () => {
  folder = await aFolder('key');
  file = join(folder.path, 'admin-key');
});
afterEach(() => folder.remove());

test('the first start makes a key of 256 bits, which only its owner can read, and the next one keeps it', async () => {
  const key = await adminKeyIn(file, undefined);
  expect(key).toMatch(/^pk_[A-Za-z0-9_-]{43}$/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await adminKeyIn(file, undefined)).toBe(key);
});

test('a key that is given takes the place of the one in the file', async () => {
  await adminKeyIn(file, undefined);
  await chmod(file, 0o644);
  expect(await adminKeyIn(file, 'pk_given-by-the-operator')).toBe('pk_given-by-the-operator');
  expect(await readFile(file, 'utf8')).toBe('pk_given-by-the-operator\n');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});
