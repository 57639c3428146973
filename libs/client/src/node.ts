import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, openAsBlob } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Download, UploadOptions } from './files.ts';
import type { File } from './generated.ts';
import type { Perdure } from './perdure.ts';
import type { Signal } from './transport.ts';

/** Uploads the file at a path, however large it is. It is read twice: its digest goes ahead, so that no other bytes become a file. */
export async function uploadFrom(
  path: string,
  perdure: Perdure,
  { name = basename(path), ...options }: Partial<Omit<UploadOptions, 'size' | 'sha256'>> = {},
): Promise<File> {
  const { signal } = options;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, { signal });
  const sha256 = hash.digest('hex');
  return perdure.files.upload(await openAsBlob(path), { ...options, name, sha256 });
}

/**
 * Writes a file, or the result of a job that is one, to a path. The path names whole and right bytes, or what it named before.
 * `onProgress` is told how many bytes there are.
 */
export async function saveTo(
  path: string,
  { file, body }: Download,
  { onProgress, signal }: { onProgress?: (received: number) => void } & Signal = {},
): Promise<void> {
  const draft = `${path}.part`;
  const hash = createHash('sha256');
  let received = 0;
  async function* checked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      received += chunk.length;
      onProgress?.(received);
      yield chunk;
    }
    if (hash.digest('hex') !== file.sha256) throw new Error(`Other bytes than those of ${file.name} arrived`);
  }
  try {
    await pipeline(Readable.fromWeb(body), checked, createWriteStream(draft), { signal });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw signal?.aborted === true ? signal.reason : error;
  }
}
