import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder with more in it is not measured further; to fill a disk with names is to fill it. */
export const maxEntries = 1_000_000;
const atOnce = 64;

/** What a folder holds on the disk: links are not followed, holes do not count, and what cannot be read is nothing. */
export async function folderUsage(folder: string): Promise<{ mebibytes: number; entries: number }> {
  const folders = [folder];
  let [bytes, entries] = [0, 0];
  let batch: Promise<number>[] = [];
  const settle = async () => {
    for (const size of await Promise.all(batch)) bytes += size;
    batch = [];
  };
  for (let next = folders.pop(); next !== undefined && entries <= maxEntries; next = folders.pop()) {
    try {
      for await (const entry of await opendir(next, { bufferSize: 256 })) {
        entries += 1;
        const path = join(next, entry.name);
        if (entry.isDirectory()) folders.push(path);
        else batch.push(sizeOf(path));
        if (batch.length === atOnce) await settle();
        if (entries > maxEntries) break;
      }
    } catch {
      // It has gone meanwhile, or the function has closed it.
    }
  }
  await settle();
  return { mebibytes: bytes / 1024 ** 2, entries };
}

function sizeOf(path: string): Promise<number> {
  return lstat(path).then(
    ({ blocks }) => blocks * 512,
    () => 0,
  );
}
