import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { PutOptions, Storage, Stored } from './contract.ts';
import { makeFolders, once, publish, readFrom, where, writeDurably } from './disk-files.ts';
import { diskParts } from './disk-parts.ts';
import { isSha256, leftoverAfterMs, nameOf, notFound, receive, unavailable } from './incoming.ts';

/**
 * `root/objects/ab/cd/abcd…`: two levels of fan-out keep folders small. Bytes come in under a name of their own in
 * `root/incoming`, are synced, and are then renamed: the same file system, so that the rename is atomic. Uploads under way
 * have a folder each in `root/parts`.
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
      await publish(draft, pathOf(coming.stored().sha256));
      return await coming.arrived();
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
    read: async (sha256, range) => {
      if (!isSha256(sha256)) throw notFound(sha256);
      return readFrom(pathOf(sha256), sha256, range);
    },
    size,
    has: async (sha256) => (await size(sha256)) !== undefined,
    remove: async (sha256) => {
      if (isSha256(sha256)) await rm(pathOf(sha256), { force: true });
    },
    check,
    ...diskParts(join(root, 'parts')),
  };
}

async function clearLeftovers(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > leftoverAfterMs) await rm(path, { force: true });
  }
}
