import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { openStorage, type Storage } from '@perdure/storage';
import { bytesAreGone, type GoingBytes, letBytesGo, purgeEnded } from '@perdure/store/admin';
import type { Database } from '@perdure/store/database';
import { makeRecorder } from '@perdure/store/record';
import { announceBytes, keepDraft } from '@perdure/store/report';
import { createJob, type FileRecord, insertFile } from '@perdure/store/submit';
import fc from 'fast-check';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aNewJob, anEntry, aState, openFresh } from '../../store/src/test-support.ts';
import { collectBytes } from './collect-bytes.ts';

let db: Database;
let drop: () => Promise<void>;
let folder: string;
let storage: Storage;
beforeEach(async () => {
  ({ db, drop } = await openFresh());
  folder = await mkdtemp(join(tmpdir(), 'collect-bytes-'));
  storage = openStorage(`file:${folder}`);
});
afterEach(async () => {
  await drop();
  await rm(folder, { recursive: true, force: true });
});

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');
const aFile = (sha256: string): FileRecord => ({
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
const announce = async (sha256: string) => {
  const arrived = await announceBytes(db, sha256);
  return () => arrived(db);
};
const store = async (text: string) => (await storage.put(once(text), { announce })).sha256;
const weekMs = 7 * 24 * 3_600_000;
const age = (days: number) =>
  db.pool.query(`update stored_bytes set since = since - $1 * interval '1 day'`, [days]);
const collect = () => collectBytes(db, storage, weekMs);
const named = async (): Promise<string[]> => {
  const rows = await db.kysely.selectFrom('files').select('sha256').distinct().execute();
  return rows.map(({ sha256 }) => sha256);
};

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

/** One who stores bytes and names them, step by step; it may die, or be away for any time, between two of them. */
function aWriter(text: string) {
  const sha256 = digestOf(text);
  let arrived: () => Promise<void>;
  return [
    async (): Promise<void> => void (arrived = await announce(sha256)),
    async () => void (await storage.put(once(text))),
    () => arrived(),
    () => insertFile(db, aFile(sha256)),
  ] as const;
}

type Move =
  | { kind: 'begin'; writer: number; text: string }
  | { kind: 'go on'; writer: number }
  | { kind: 'purge'; text: string }
  | { kind: 'decide' | 'remove' };

const texts = fc.constantFrom('one', 'two');
const writers = fc.nat(2);
const moves = fc.oneof<fc.Arbitrary<Move>[]>(
  fc.record({ kind: fc.constant('begin' as const), writer: writers, text: texts }),
  fc.record({ kind: fc.constant('go on' as const), writer: writers }),
  fc.record({ kind: fc.constant('go on' as const), writer: writers }),
  fc.record({ kind: fc.constant('purge' as const), text: texts }),
  fc.record({ kind: fc.constantFrom('decide' as const, 'remove' as const) }),
);
const atOnceOld = { afterMs: 0, againAfterMs: 0, limit: 10 };

test('wherever writers and the collector stop, and however late they go on, what a row names is there', async () => {
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(moves, { minLength: 8, maxLength: 40 }), async (all) => {
      await db.pool.query('truncate files, stored_bytes');
      for (const text of ['one', 'two']) await storage.remove(digestOf(text));
      const steps = new Map<number, (() => Promise<void>)[]>();
      const started: (() => Promise<void>)[][] = [];
      // A collector that decides anew is another one: that of before is dead, and removes nothing more.
      let going: (GoingBytes & { removed?: boolean })[] = [];
      for (const move of all) {
        if (move.kind === 'begin') {
          const writer = [...aWriter(move.text)];
          steps.set(move.writer, writer);
          started.push(writer);
        }
        if (move.kind === 'begin' || move.kind === 'go on') {
          const step = steps.get(move.writer)?.shift();
          const refused = await step?.().then(
            () => undefined,
            (error: { code: string }) => error.code,
          );
          outcomes.add(refused ?? 'done');
          // Refused: it gives up.
          if (refused !== undefined) steps.get(move.writer)?.splice(0);
        }
        if (move.kind === 'purge')
          await db.kysely.deleteFrom('files').where('sha256', '=', digestOf(move.text)).execute();
        if (move.kind === 'decide') going = await letBytesGo(db, atOnceOld);
        const [next] = going;
        if (move.kind === 'remove' && next?.removed) await bytesAreGone(db, going.shift() ?? next);
        else if (move.kind === 'remove' && next) {
          await storage.remove(next.sha256);
          next.removed = true;
          outcomes.add('removed');
        }
        for (const sha256 of await named())
          expect([all, sha256, await storage.has(sha256)]).toEqual([all, sha256, true]);
      }
      // Once all are through, nothing is left but what is named.
      for (const writer of started) for (const step of writer) await step().catch(() => writer.splice(0));
      for (const bytes of await letBytesGo(db, atOnceOld)) {
        await storage.remove(bytes.sha256);
        await bytesAreGone(db, bytes);
      }
      const left = await Promise.all(['one', 'two'].map((text) => storage.has(digestOf(text))));
      const wanted = await named();
      expect(left).toEqual(['one', 'two'].map((text) => wanted.includes(digestOf(text))));
    }),
    { numRuns: 60 },
  );
  expect([...outcomes].sort()).toEqual(['58030', 'done', 'removed', 'unavailable']);
}, 120_000);

test('however many store, name, purge and collect the same bytes at once, what a row names is there', async () => {
  let left = 300;
  const working = async (work: () => Promise<unknown>): Promise<void> => {
    while (left-- > 0) {
      await work().catch((error: { code: string }) => {
        if (!['58030', 'unavailable'].includes(error.code)) throw error;
      });
    }
  };
  const text = () => `text ${Math.floor(Math.random() * 3)}`;
  const write = async () => insertFile(db, aFile(await store(text())));
  const purge = () => db.kysely.deleteFrom('files').where('sha256', '=', digestOf(text())).execute();
  await Promise.all([
    working(write),
    working(write),
    working(write),
    working(purge),
    working(() => collectBytes(db, storage, 0)),
    working(() => collectBytes(db, storage, 0)),
  ]);
  for (const sha256 of await named()) expect(await storage.has(sha256)).toBe(true);
  await collectBytes(db, storage, 0);
  const wanted = await named();
  for (const n of [0, 1, 2])
    expect(await storage.has(digestOf(`text ${n}`))).toBe(wanted.includes(digestOf(`text ${n}`)));
}, 60_000);
