import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jobError } from '@perdure/job/errors';
import { defaultTenantId } from '@perdure/job/ids';
import { sql } from 'kysely';
import { waitFor } from '../../../tests/support/wait.ts';
import type { OpenDatabase } from './database.ts';
import { type FeedEvent, getEventsBetween, getFeed, type Place, placeOfNow } from './event-feed.ts';
import { closeFromOutside, makeRecorder } from './record.ts';
import { getJob } from './read-jobs.ts';
import { reportProgress } from './report.ts';
import { createJob } from './submit.ts';
import { aNewJob, anEntry, aStart, openFresh, otherTenantId } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

const named = ({ jobId, seq }: { jobId: string; seq: number }) => `${jobId} ${seq}`;
const progress = { done: 1, total: null, unit: null, message: null };

async function submitted(tenantId = defaultTenantId): Promise<string> {
  const job = aNewJob({ tenantId });
  await createJob(db, job);
  return job.id;
}

describe('of one job', () => {
  const between = (id: string, after: number, upTo = 1_000) =>
    getEventsBetween(db, defaultTenantId, id, { after, upTo, limit: 100 });
  const revisions = (events: FeedEvent[]) => events.map(({ seq, revision }) => [seq, revision]);

  test('each event has a revision of its own, and none has that of a change without an event', async () => {
    const id = await submitted();
    const recorder = makeRecorder(db);
    await recorder.record(anEntry(id, 2, 5));
    await reportProgress(db, id, 1, progress);
    await reportProgress(db, id, 1, progress);
    await recorder.record(anEntry(id, 2, 6));
    const end = { type: 'failed', actor: 'x', message: 'x', code: 'terminated' } as const;
    await closeFromOutside(db, id, { status: 'FAILED', error: jobError('terminated', 'x'), event: end }, 6);
    const pairs = [1, 2, 3, 4, 5].map((seq) => [seq, seq]);
    expect(revisions(await between(id, 0))).toEqual([...pairs, [6, 8], [7, 9]]);
    expect(await getJob(db, defaultTenantId, id)).toMatchObject({ revision: 9, lastSeq: 7 });
    expect(revisions(await between(id, 5, 8))).toEqual([[6, 8]]);
    expect(await getEventsBetween(db, otherTenantId, id, { after: 0, upTo: 9, limit: 9 })).toEqual([]);
  });

  test('a job that was started directly counts from one as well', async () => {
    const id = randomUUID();
    const start = aStart({ admitted: false });
    await makeRecorder(db).record(anEntry(id, 1, 4, { start }));
    await makeRecorder(db).record(anEntry(id, 5, 7, { start }));
    expect(revisions(await between(id, 0))).toEqual([1, 2, 3, 4, 5, 6, 7].map((seq) => [seq, seq]));
    expect(await getJob(db, defaultTenantId, id)).toMatchObject({ revision: 7 });
  });
});

describe('of a tenant', () => {
  /** Reads on from a place until nothing more comes, some at a time. */
  async function readOn(from: Place, limit: number): Promise<{ events: FeedEvent[]; place: Place }> {
    const events: FeedEvent[] = [];
    let place = from;
    for (;;) {
      const feed = await getFeed(db, defaultTenantId, place, limit);
      events.push(...feed.events);
      place = feed.events.at(-1)?.place ?? place;
      if (feed.events.length < limit) return { events, place };
    }
  }

  test('its events come once each from any place on, and nobody else’s', async () => {
    const place = await placeOfNow(db);
    const [one, two] = [await submitted(), await submitted()];
    await submitted(otherTenantId);
    await makeRecorder(db).record(anEntry(one, 2, 7));
    const all = [`${one} 1`, `${two} 1`, ...[2, 3, 4, 5, 6, 7].map((seq) => `${one} ${seq}`)];
    for (const limit of [1, 3, 100]) expect((await readOn(place, limit)).events.map(named)).toEqual(all);
    const [, , third] = (await getFeed(db, defaultTenantId, place, 100)).events;
    if (third === undefined) throw new Error('too few');
    expect((await readOn(third.place, 2)).events.map(named)).toEqual(all.slice(3));
    expect((await readOn(await placeOfNow(db), 2)).events).toEqual([]);
  });

  test('an event waits for older transactions, and is told to be there', async () => {
    const place = await placeOfNow(db);
    await db.kysely.transaction().execute(async (older) => {
      await sql`select pg_current_xact_id()`.execute(older);
      await submitted();
      expect(await getFeed(db, defaultTenantId, place, 10)).toEqual({ events: [], withheld: true });
      await submitted(otherTenantId);
    });
    const feed = await getFeed(db, defaultTenantId, place, 10);
    expect(feed).toEqual({ events: [expect.anything()], withheld: false });
  });

  test('whoever reads while many write misses none and sees none twice', async () => {
    let place = await placeOfNow(db);
    const told: FeedEvent[] = [];
    let writing = true;
    const read = (async () => {
      while (writing) {
        const next = await readOn(place, 5);
        told.push(...next.events);
        place = next.place;
      }
    })();
    const write = async (writer: number) => {
      const written: string[] = [];
      for (let count = 0; count < 15; count++) {
        // Some transactions take their number early, and commit late.
        await db.kysely.transaction().execute(async (transaction) => {
          await sql`select pg_current_xact_id(), pg_sleep(${(writer % 3) / 200})`.execute(transaction);
          const id = randomUUID();
          await sql`insert into jobs (id, tenant_id, owner, function_name, status, attempt, agent_losses, parameters, labels,
              priority, limits, files, revision, last_seq, start)
            values (${id}, ${defaultTenantId}, 'x', 'echo', 'CREATED', 0, 0, '{}', '{}', 3, '{}', '[]', 1, 1, '{}')`.execute(
            transaction,
          );
          await sql`insert into job_events (tenant_id, job_id, seq, revision, type, at, status, attempt, actor)
            values (${defaultTenantId}, ${id}, 1, 1, 'created', now(), 'CREATED', 0, 'x')`.execute(
            transaction,
          );
          written.push(`${id} 1`);
        });
        const id = await submitted();
        await makeRecorder(db).record(anEntry(id, 2, 7));
        written.push(...[1, 2, 3, 4, 5, 6, 7].map((seq) => `${id} ${seq}`));
      }
      return written;
    };
    const written = (await Promise.all([0, 1, 2, 3, 4, 5].map(write))).flat();
    await waitFor(() => told.length >= written.length, { what: 'all events' });
    writing = false;
    await read;
    expect(told.map(named).sort()).toEqual(written.sort());
  });

  test('reading on goes by the index alone, however many there are', async () => {
    const text = `explain select * from job_events where tenant_id = '${defaultTenantId}'
      and (written, job_id, seq) > ('3'::xid8, 'x', 1) and written < '1000000'::xid8 order by written, job_id, seq limit 100`;
    const client = await db.pool.connect();
    try {
      await client.query(`set enable_seqscan = off; set role perdure_tenant`);
      const { rows } = await client.query<string[]>({ text, rowMode: 'array' });
      const plan = rows.flat().join('\n');
      expect(plan).toContain('Index Cond: ((tenant_id');
      expect(plan).toContain('ROW(written, job_id, seq) >');
      expect(plan).not.toContain('Sort');
    } finally {
      client.release(true);
    }
  });
});
