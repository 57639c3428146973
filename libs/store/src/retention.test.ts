import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { sql } from 'kysely';
import { randomUUID } from 'node:crypto';
import { dropIdempotencyKeys, forgetPurged, purgeEnded } from './admin.ts';
import type { OpenDatabase } from './database.ts';
import { findIdempotent, getEvents, getFile, getJob, getPurged } from './read.ts';
import { makeRecorder } from './record.ts';
import { createJob } from './submit.ts';
import { aNewJob, anEntry, aState, openFresh, otherTenantId } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

const days = { short: 7, standard: 90, long: 730 };
const purge = () => purgeEnded(db, days, 100);
const row = (id: string) => getJob(db, defaultTenantId, id);

/** A job that ended so many days ago, or is under way. */
async function aJob(
  id: string,
  ended: number | undefined,
  some: { retention?: 'short' | 'standard' | 'long' | 'forever'; parameters?: object; fileId?: string } = {},
): Promise<void> {
  const { retention, parameters, fileId } = some;
  const job = aNewJob({ id, ...(parameters ? { parameters: parameters as never } : {}) });
  await createJob(db, { ...job, start: { ...job.start, ...(retention ? { retention } : {}) } });
  if (ended === undefined) return;
  const endedAt = new Date(Date.now() - ended * 86_400_000).toISOString();
  const files = fileId
    ? [{ fileId, name: 'r.csv', mediaType: 'text/csv', size: 1, sha256: 'a'.repeat(64) }]
    : [];
  const outcome = { output: null, files, resultFile: null };
  const state = aState(id, { status: 'COMPLETED', seq: 7, attempt: 1, endedAt, outcome });
  await makeRecorder(db).record({ ...anEntry(id, 2, 7), state });
}

test('a job goes when the time of its class is over, with its history and its files, and not before', async () => {
  const fileId = randomUUID();
  await aJob('old', 91, { fileId });
  await aJob('young', 89);
  await aJob('short', 8, { retention: 'short' });
  await aJob('long', 91, { retention: 'long' });
  await aJob('forever', 9_999, { retention: 'forever' });
  await aJob('under-way', undefined);
  expect(await purge()).toBe(2);
  expect(await purge()).toBe(0);
  for (const id of ['old', 'short']) expect(await row(id)).toBeUndefined();
  for (const id of ['young', 'long', 'forever', 'under-way']) expect(await row(id)).toMatchObject({ id });
  expect(await getEvents(db, defaultTenantId, 'old')).toEqual([]);
  expect(await getFile(db, defaultTenantId, fileId)).toBeUndefined();
});

test('what is known of it stays, for its tenant alone', async () => {
  await aJob('known', 100);
  const { functionName, owner } = (await row('known')) ?? {};
  await purge();
  expect(await getPurged(db, defaultTenantId, 'known')).toMatchObject({
    id: 'known',
    status: 'COMPLETED',
    functionName,
    owner,
    purgedAt: expect.stringMatching(/Z$/),
  });
  expect(await getPurged(db, otherTenantId, 'known')).toBeUndefined();
});

test('the id of a purged job is not given again', async () => {
  await aJob('used', 100);
  await purge();
  expect(await createJob(db, aNewJob({ id: 'used' }))).toMatchObject({ created: false, reason: 'id-taken' });
});

test('a job whose file is an input of one under way waits for that one', async () => {
  const fileId = randomUUID();
  await aJob('source', 100, { fileId });
  await aJob('reader', undefined, { parameters: { data: fileId } });
  await purge();
  expect(await row('source')).toMatchObject({ id: 'source' });
  await makeRecorder(db).record(anEntry('reader', 2, 7));
  await purge();
  expect(await row('source')).toBeUndefined();
});

test('no more go at once than asked for, the oldest first', async () => {
  for (const age of [101, 103, 102]) await aJob(`aged-${age}`, age);
  expect(await purgeEnded(db, days, 2)).toBe(2);
  expect(await row('aged-101')).toMatchObject({ id: 'aged-101' });
  expect(await purge()).toBe(1);
});

test('what is known of purged jobs is forgotten in the end', async () => {
  await aJob('forgotten', 100);
  await purge();
  await sql`update purged_jobs set purged_at = purged_at - interval '401 days' where id = 'forgotten'`.execute(
    db.kysely,
  );
  await aJob('remembered', 100);
  await purge();
  await forgetPurged(db, 400, 100);
  expect(await getPurged(db, defaultTenantId, 'forgotten')).toBeUndefined();
  expect(await getPurged(db, defaultTenantId, 'remembered')).toBeDefined();
});

test('idempotency keys go when their time is over, and not before', async () => {
  const idempotency = (key: string) => ({ caller: 'me', key, fingerprint: 'f' });
  await createJob(db, aNewJob({ id: 'keyed-old' }), idempotency('old'));
  await createJob(db, aNewJob({ id: 'keyed-new' }), idempotency('new'));
  await sql`update idempotency_keys set created_at = created_at - interval '49 hours' where key = 'old'`.execute(
    db.kysely,
  );
  await dropIdempotencyKeys(db, 48, 100);
  expect(await findIdempotent(db, defaultTenantId, 'me', 'old')).toBeUndefined();
  expect(await findIdempotent(db, defaultTenantId, 'me', 'new')).toMatchObject({ jobId: 'keyed-new' });
});

test('jobs that are due are found along an index', async () => {
  const client = await db.pool.connect();
  try {
    await client.query('set enable_seqscan = off');
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`
      explain select id from jobs where coalesce(start ->> 'retention', 'standard') = 'short'
      and ended_at is not null and ended_at < now() - interval '7 days' order by ended_at limit 10`);
    expect(rows.map((one) => one['QUERY PLAN']).join('\n')).toContain('jobs_by_retention');
  } finally {
    client.release(true);
  }
});
