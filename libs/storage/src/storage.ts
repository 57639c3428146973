import { fileURLToPath } from 'node:url';

import type { Storage } from './contract.ts';
import { openDisk } from './disk.ts';
import { openS3, type S3Access } from './s3.ts';

export type { ByteRange, PutOptions, Storage, Stored } from './contract.ts';

/**
 * Opens `file:/an/absolute/folder` or `s3://bucket/prefix?endpoint=…&region=…&forcePathStyle=true`.
 * What a crash left half written is cleared away a day later, when the first bytes come.
 */
export function openStorage(url: string, access: S3Access = {}): Storage {
  const parsed = new URL(url);
  if (parsed.protocol === 'file:') return openDisk(fileURLToPath(parsed));
  if (parsed.protocol === 's3:') return openS3(parsed, access);
  throw new TypeError(`no storage speaks ${parsed.protocol}; use file: or s3:`);
}
