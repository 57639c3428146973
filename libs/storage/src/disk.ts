import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import {
  isSha256,
  leftoverAfterMs,
  nameOf,
  notFound,
  notSatisfiable,
  receive,
  unavailable,
} from './incoming.ts';
import type { ByteRange, PutOptions, Storage, Stored } from './contract.ts';

const where = 'the storage folder';

/**
 * `root/objects/ab/cd/abcd…`: two levels of fan-out keep folders small. Bytes come in under a name of their own in
 * `root/incoming`, are synced, and are then renamed: the same file system, so that the rename is atomic.
 */
export function openDisk(root: string): Storage {
  const incoming = join(root, 'incoming');
  const objects = join(root, 'objects');
  const pathOf = (sha256: string): string => join(objects, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  let prepared: Promise<void> | undefined;

  /** Once a process; tried again after a failure. */
  function prepare(): Promise<void> {
    prepared ??= makeFolders([incoming, objects])
      .then(() => clearLeftovers(incoming))
      .catch((error: unknown) => {
        prepared = undefined;
        throw error;
      });
    return prepared;
  }

  async function put(bytes: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<Stored> {
    const coming = receive(bytes, options);
    const draft = join(incoming, randomUUID());
    try {
      await prepare();
      await writeDurably(draft, coming.bytes);
      const stored = coming.stored();
      await publish(draft, pathOf(stored.sha256));
      return stored;
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined);
      throw coming.failure(error, where);
    }
  }

  async function size(sha256: string): Promise<number | undefined> {
    if (!isSha256(sha256)) return undefined;
    try {
      return (await stat(pathOf(sha256))).size;
    } catch (error) {
      if (nameOf(error) === 'ENOENT') return undefined;
      throw unavailable(error, where);
    }
  }

  async function check(): Promise<void> {
    const probe = join(incoming, randomUUID());
    try {
      await prepare();
      // A full disk still takes names.
      await writeDurably(probe, once(Buffer.alloc(4_096)));
    } catch (error) {
      throw unavailable(error, where);
    } finally {
      await rm(probe, { force: true }).catch(() => undefined);
    }
  }

  return {
    put,
    read: (sha256, range) => readFrom(isSha256(sha256) ? pathOf(sha256) : undefined, sha256, range),
    size,
    has: async (sha256) => (await size(sha256)) !== undefined,
    remove: async (sha256) => {
      if (isSha256(sha256)) await rm(pathOf(sha256), { force: true });
    },
    check,
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function writeDurably(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o640);
  try {
    for await (const chunk of bytes) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function publish(draft: string, path: string): Promise<void> {
  await makeFolders([dirname(path)]);
  await rename(draft, path);
  await syncFolder(dirname(path));
}

/** Makes folders such that they outlive a power cut: a new name is durable when the folder that holds it is synced. */
async function makeFolders(paths: string[]): Promise<void> {
  for (const path of paths) {
    const first = await mkdir(path, { recursive: true });
    if (first === undefined) continue;
    for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function clearLeftovers(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > leftoverAfterMs) await rm(path, { force: true });
  }
}

async function readFrom(path: string | undefined, sha256: string, range: ByteRange | undefined) {
  if (path === undefined) throw notFound(sha256);
  const file = await open(path, 'r').catch((error: unknown) => {
    throw nameOf(error) === 'ENOENT' ? notFound(sha256) : unavailable(error, where);
  });
  const { size } = await file.stat();
  if (range && (range.start >= size || range.end < range.start || range.start < 0)) {
    await file.close();
    throw notSatisfiable(sha256);
  }
  return file.createReadStream(range ? { start: range.start, end: range.end } : {});
}
