import { afterEach, beforeEach } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { openStorage, type Storage } from '@perdure/storage';
import type { OpenDatabase } from '@perdure/store/database';
import { announceBytes } from '@perdure/store/report';
import { type FileRecord, insertFile } from '@perdure/store/submit';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFresh } from '../../../store/src/test-support.ts';

export let db: OpenDatabase;
let drop: () => Promise<void>;
let folder: string;
export let storage: Storage;
/** Opens `db` and `storage` anew for each test of a file. */
export function openStorageForEach(): void {
  beforeEach(async () => {
    ({ db, drop } = await openFresh());
    folder = await mkdtemp(join(tmpdir(), 'collect-bytes-'));
    storage = openStorage(`file:${folder}`);
  });
  afterEach(async () => {
    await drop();
    await rm(folder, { recursive: true, force: true });
  });
}

export async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
export const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');
export const aFile = (sha256: string): FileRecord => ({
  id: randomUUID(),
  tenantId: defaultTenantId,
  owner: 'ada',
  name: 'f',
  mediaType: 't/t',
  size: 1,
  sha256,
  jobId: null,
  createdAt: new Date().toISOString(),
});
export const announce = async (sha256: string) => {
  const arrived = await announceBytes(db, sha256);
  return () => arrived(db);
};
export const store = async (text: string) => (await storage.put(once(text), { announce })).sha256;
export const weekMs = 7 * 24 * 3_600_000;
export const age = (days: number) =>
  db.pool.query(`update stored_bytes set since = since - $1 * interval '1 day'`, [days]);
export const named = async (): Promise<string[]> => {
  const rows = await db.kysely.selectFrom('files').select('sha256').distinct().execute();
  return rows.map(({ sha256 }) => sha256);
};

/** One who stores bytes and names them, step by step; it may die, or be away for any time, between two of them. */
export function aWriter(text: string) {
  const sha256 = digestOf(text);
  let arrived: () => Promise<void>;
  return [
    async (): Promise<void> => void (arrived = await announce(sha256)),
    async () => void (await storage.put(once(text))),
    () => arrived(),
    () => insertFile(db, aFile(sha256)),
  ] as const;
}
