import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { PerdureError } from '@perdure/job/errors';

import { openStorage } from '../storage.ts';
import { generated } from './bytes.ts';

/** Runs on a file system of 1 MiB, which is the first argument: puts too much, then a little. */
const root = process.argv[2] ?? '';
const storage = openStorage(`file:${root}`);
try {
  await storage.put(generated(2 * 1024 ** 2));
} catch (error) {
  if (!(error instanceof PerdureError)) throw error;
  const { code, message, cause } = error;
  const left = await readdir(join(root, 'incoming'));
  const { size } = await storage.put(generated(5));
  const causeCode = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  console.log(JSON.stringify({ code, message, cause: causeCode, left, afterwards: size }));
}
