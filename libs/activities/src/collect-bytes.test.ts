import { expect, test } from '@jest/globals';
import type { Storage } from '@perdure/storage';
import { bytesAreGone, letBytesGo, purgeEnded } from '@perdure/store/admin';
import { makeRecorder } from '@perdure/store/record';
import { keepDraft } from '@perdure/store/report';
import { createJob, insertFile } from '@perdure/store/submit';
import { randomUUID } from 'node:crypto';
import { aNewJob, anEntry, aState } from '../../store/src/test-support.ts';
import { collectBytes } from './collect-bytes.ts';
import {
  aFile,
  age,
  aWriter,
  db,
  digestOf,
  openStorageForEach,
  storage,
  store,
  weekMs,
} from './testing/stored-bytes.ts';

openStorageForEach();
const collect = () => collectBytes(db, storage, weekMs);

test('bytes that nobody came to name go after a week, and not before', async () => {
  const [left, kept] = [await store('left'), await store('kept')];
  await insertFile(db, aFile(kept));
  await age(6);
  const young = await store('young');
  expect(await collect()).toBe(0);
  await age(1.1);
  expect(await collect()).toBe(1);
  expect(await collect()).toBe(0);
  expect(await Promise.all([left, kept, young].map((sha256) => storage.has(sha256)))).toEqual([
    false,
    true,
    true,
  ]);
});

test('who comes to name bytes that went is refused, and may store them again', async () => {
  const sha256 = await store('late');
  await age(8);
  await collect();
  await expect(insertFile(db, aFile(sha256))).rejects.toMatchObject({ code: '58030' });
  await store('late');
  await insertFile(db, aFile(sha256));
  await age(8);
  expect(await collect()).toBe(0);
  expect(await storage.has(sha256)).toBe(true);
});

test('what a job named goes after it: its files, its drafts and its parameters', async () => {
  const [lost, replaced, parameters] = [
    await store('lost'),
    await store('replaced'),
    await store('parameters'),
  ];
  const fresh = aNewJob({ id: 'job' });
  await createJob(db, { ...fresh, start: { ...fresh.start, parameters: {}, parametersSha256: parameters } });
  const recorder = makeRecorder(db);
  await recorder.record(anEntry('job', 2, 5));
  const draft = { id: randomUUID(), name: 'f', mediaType: 't/t', size: 1 };
  await keepDraft(db, 'job', 1, { ...draft, sha256: replaced });
  await keepDraft(db, 'job', 1, { ...draft, sha256: lost });
  await age(8);
  expect(await collect()).toBe(1);
  expect(await storage.has(replaced)).toBe(false);

  const result = await store('result');
  const files = [{ fileId: randomUUID(), name: 'r', mediaType: 't/t', size: 1, sha256: result }];
  const endedAt = new Date(Date.now() - 91 * 86_400_000).toISOString();
  const outcome = { output: null, files, resultFile: null };
  const state = aState('job', { status: 'COMPLETED', seq: 7, attempt: 1, endedAt, outcome });
  await recorder.record({ ...anEntry('job', 6, 7), state });
  await age(8);
  expect(await collect()).toBe(0);
  for (const sha256 of [result, lost, parameters]) expect(await storage.has(sha256)).toBe(true);

  expect(await purgeEnded(db, { short: 7, standard: 90, long: 730 }, 10)).toBe(1);
  expect(await collect()).toBe(0);
  await age(8);
  expect(await collect()).toBe(3);
  for (const sha256 of [result, lost, parameters]) expect(await storage.has(sha256)).toBe(false);
});

test('bytes that two rows name go with the second', async () => {
  const sha256 = await store('shared');
  const files = [aFile(sha256), aFile(sha256)];
  for (const file of files) {
    await insertFile(db, file);
    await age(8);
    expect(await collect()).toBe(0);
  }
  for (const { id } of files) {
    expect(await storage.has(sha256)).toBe(true);
    await db.kysely.deleteFrom('files').where('id', '=', id).execute();
    await age(8);
    await collect();
  }
  expect(await storage.has(sha256)).toBe(false);
});

test('nothing is decided of bytes while somebody who names them has not committed', async () => {
  const sha256 = await store('under way');
  await age(8);
  await db.kysely.transaction().execute(async (transaction) => {
    await insertFile({ kysely: transaction }, aFile(sha256));
    expect(await collect()).toBe(0);
  });
  expect(await collect()).toBe(0);
  expect(await storage.has(sha256)).toBe(true);
});

test('what storage does not let go of keeps no other waiting, is stored by nobody meanwhile, and is removed an hour later', async () => {
  const [stuck, other] = [await store('stuck'), await store('other')];
  await age(8);
  const refusing: Storage = {
    ...storage,
    remove: (sha256) => (sha256 === stuck ? Promise.reject(new Error('not now')) : storage.remove(sha256)),
  };
  await expect(collectBytes(db, refusing, weekMs)).rejects.toThrow('could not be removed');
  expect(await storage.has(other)).toBe(false);
  await expect(store('stuck')).rejects.toMatchObject({ code: 'unavailable' });
  expect(await collect()).toBe(0);
  await age(1 / 23);
  expect(await collect()).toBe(1);
  expect(await storage.has(stuck)).toBe(false);
  await store('stuck');
});

test('who was away while his bytes went does not speak for those that somebody else is about to store again', async () => {
  const [late, other] = [aWriter('twice'), aWriter('twice')];
  const sha256 = digestOf('twice');
  await late[0]();
  await late[1]();
  await age(8);
  expect(await collect()).toBe(1);
  await other[0]();
  await late[2]();
  await expect(late[3]()).rejects.toMatchObject({ code: '58030' });
  await other[1]();
  await other[2]();
  await late[3]();
  await age(8);
  expect(await collect()).toBe(0);
  expect(await storage.has(sha256)).toBe(true);
});

test('a collector that was away does not say that bytes are gone which another is to remove by now', async () => {
  const sha256 = await store('slowly');
  const hour = 3_600_000;
  const [first] = await letBytesGo(db, { afterMs: 0, againAfterMs: hour, limit: 1 });
  await age(1 / 23);
  const [second] = await letBytesGo(db, { afterMs: weekMs, againAfterMs: hour, limit: 1 });
  expect([first?.sha256, second?.sha256]).toEqual([sha256, sha256]);
  if (first) await bytesAreGone(db, first);
  await expect(store('slowly')).rejects.toMatchObject({ code: 'unavailable' });
  if (second) await bytesAreGone(db, second);
  expect(await store('slowly')).toBe(sha256);
});
