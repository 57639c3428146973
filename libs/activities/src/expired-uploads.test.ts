import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { openStorage, type Storage } from '@perdure/storage';
import { appendPart, createUpload, expireUpload, type UploadRecord } from '@perdure/store/submit';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFresh } from '../../store/src/test-support.ts';
import { removeExpiredUploads } from './expired-uploads.ts';

let opened: Awaited<ReturnType<typeof openFresh>>;
let folder: string;
let storage: Storage;
beforeEach(async () => {
  opened = await openFresh();
  folder = await mkdtemp(join(tmpdir(), 'expired-uploads-'));
  storage = openStorage(`file:${folder}`);
});
afterEach(async () => {
  await opened.drop();
  await rm(folder, { recursive: true, force: true });
});

/** An upload of which one part is stored and named, and one is stored and not named: its process was killed. */
async function anUpload(): Promise<UploadRecord> {
  const owner = randomUUID();
  const asked = { id: randomUUID(), tenantId: defaultTenantId, owner, metadata: '', size: 100 };
  const upload = await createUpload(opened.db, asked, 3_600_000);
  const part = { id: randomUUID(), at: 0, size: 5 };
  await storage.putPart(upload.id, part.id, Buffer.from('named'));
  await storage.putPart(upload.id, randomUUID(), Buffer.from('not named'));
  expect(await appendPart(opened.db, upload, part)).toBe(true);
  return upload;
}

const rows = async (): Promise<string[]> => {
  const all = await opened.db.kysely.selectFrom('uploads').select('id').execute();
  return all.map(({ id }) => id);
};

test('of an upload whose time is over nothing stays, named or not; others are left alone', async () => {
  const [over, underWay] = [await anUpload(), await anUpload()];
  expect(await removeExpiredUploads(opened.db, storage)).toBe(0);
  await expireUpload(opened.db, over);
  expect(await appendPart(opened.db, over, { id: randomUUID(), at: 5, size: 5 })).toBe(false);
  expect(await removeExpiredUploads(opened.db, storage)).toBe(1);
  expect(await rows()).toEqual([underWay.id]);
  expect(await readdir(join(folder, 'parts'))).toEqual([underWay.id]);
  expect(await readdir(join(folder, 'parts', underWay.id))).toHaveLength(2);
});

test('what storage does not let go of stays named, keeps no other waiting, and comes round again', async () => {
  const [stuck, over] = [await anUpload(), await anUpload()];
  for (const upload of [stuck, over]) await expireUpload(opened.db, upload);
  let refuses = true;
  const refusing: Storage = {
    ...storage,
    removeParts: (upload) =>
      upload === stuck.id && refuses ? Promise.reject(new Error('not now')) : storage.removeParts(upload),
  };
  await expect(removeExpiredUploads(opened.db, refusing)).rejects.toThrow('could not be removed');
  expect(await rows()).toEqual([stuck.id]);
  refuses = false;
  expect(await removeExpiredUploads(opened.db, refusing)).toBe(1);
  expect(await rows()).toEqual([]);
});
