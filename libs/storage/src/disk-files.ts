import { constants } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';

import type { ByteRange } from './contract.ts';
import { nameOf, notFound, notSatisfiable, unavailable } from './incoming.ts';

/** How errors name it: paths are nobody's business. */
export const where = 'the storage folder';

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export async function writeDurably(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o640);
  try {
    for await (const chunk of bytes) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function publish(draft: string, path: string): Promise<void> {
  await makeFolders([dirname(path)]);
  await rename(draft, path);
  await syncFolder(dirname(path));
}

/** Makes folders such that they outlive a power cut: a new name is durable when the folder that holds it is synced. */
export async function makeFolders(paths: string[]): Promise<void> {
  for (const path of paths) {
    const first = await mkdir(path, { recursive: true });
    if (first === undefined) continue;
    for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
  }
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** A link in the place of a file is not followed: whatever it leads to was never stored. */
export async function readFrom(path: string, name: string, range?: ByteRange): Promise<Readable> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    throw nameOf(error) === 'ENOENT' ? notFound(name) : unavailable(error, where);
  });
  const { size } = await file.stat();
  if (range && (range.start >= size || range.end < range.start || range.start < 0)) {
    await file.close();
    throw notSatisfiable(name);
  }
  return file.createReadStream(range ? { start: range.start, end: range.end } : {});
}
