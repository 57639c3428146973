import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { readEnvironment } from '@perdure/config/environment';
import { expect } from '@jest/globals';

const run = promisify(execFile);
const script = fileURLToPath(new URL('./large-put.ts', import.meta.url));
/** Measured: 65 MiB grown for a disk, 110 for S3, and hardly more for 800 MiB. */
const putBytes = 320 * 1024 ** 2;
const mostGrowth = 200 * 1024 ** 2;

/** Puts and reads a large file in a process of its own, and expects that most of it was never in memory. */
export async function flatMemory(url: string): Promise<void> {
  const env = { ...readEnvironment(), STORAGE: url, BYTES: String(putBytes) };
  const { stdout } = await run(process.execPath, [script], { env });
  const { size, read, grownBytes } = JSON.parse(stdout);
  expect({ size, read }).toEqual({ size: putBytes, read: putBytes });
  expect(grownBytes).toBeLessThan(mostGrowth);
}
