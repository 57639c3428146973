import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { readEnvironment } from '@perdure/config/environment';
import { expect } from '@jest/globals';

const run = promisify(execFile);
const script = fileURLToPath(new URL('./large-put.ts', import.meta.url));
/** Measured: 17 MiB held for a disk. S3 has several parts of 8 MiB under way. */
const putBytes = 320 * 1024 ** 2;
const mostGrowth = 120 * 1024 ** 2;

/** Puts and reads a large file in a process of its own, and expects that most of it was never in memory. */
export async function flatMemory(url: string): Promise<void> {
  const env = { ...readEnvironment(), STORAGE: url, BYTES: String(putBytes) };
  const { stdout } = await run(process.execPath, ['--expose-gc', script], { env });
  const { size, read, grownBytes } = JSON.parse(stdout);
  expect({ size, read }).toEqual({ size: putBytes, read: putBytes });
  expect(grownBytes).toBeLessThan(mostGrowth);
}
