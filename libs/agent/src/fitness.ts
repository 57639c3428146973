import { mkdir, statfs } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Storage } from '@perdure/storage';

/** With less room than this no job is begun. */
const leastFreeBytes = 64 * 1024 ** 2;

/** Resolves when there is room again: for scratch folders, and in the storage. Looks every `everyMs`. */
export async function untilFit(scratchRoot: string, storage: Storage, everyMs: number): Promise<void> {
  do await pause(everyMs, undefined, { ref: false });
  while (!(await isFit(scratchRoot, storage)));
}

async function isFit(scratchRoot: string, storage: Storage): Promise<boolean> {
  try {
    await mkdir(scratchRoot, { recursive: true });
    const { bavail, bsize } = await statfs(scratchRoot);
    await storage.check();
    return bavail * bsize >= leastFreeBytes;
  } catch {
    return false;
  }
}
