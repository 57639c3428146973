import { expect, test } from '@jest/globals';
import { bytesAreGone, type GoingBytes, letBytesGo } from '@perdure/store/admin';
import { insertFile } from '@perdure/store/submit';
import fc from 'fast-check';
import { collectBytes } from './collect-bytes.ts';
import {
  aFile,
  age,
  aWriter,
  db,
  digestOf,
  named,
  openStorageForEach,
  storage,
  store,
} from './testing/stored-bytes.ts';

openStorageForEach();

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
      await db.pool.query('truncate files, stored_bytes cascade');
      for (const text of ['one', 'two']) await storage.remove(digestOf(text));
      const steps = new Map<number, (() => Promise<unknown>)[]>();
      const started: (() => Promise<unknown>)[][] = [];
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
  // What came while it was removed is removed once more, an hour later.
  await age(1);
  await collectBytes(db, storage, 0);
  const wanted = await named();
  for (const n of [0, 1, 2])
    expect(await storage.has(digestOf(`text ${n}`))).toBe(wanted.includes(digestOf(`text ${n}`)));
}, 60_000);
