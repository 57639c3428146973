import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import fc from 'fast-check';
import { sql } from 'kysely';
import { archiveJob } from './archivings.ts';
import { countJobs } from './count-jobs.ts';
import type { OpenDatabase } from './database.ts';
import { type JobListing, listJobs, type Position } from './list-jobs.ts';
import { getJob } from './read-jobs.ts';
import { makeRecorder } from './record.ts';
import { createJob } from './submit.ts';
import { aNewJob, anEntry, aStart, aState, openFresh, otherTenantId } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;
beforeAll(async () => void ({ db, drop } = await openFresh()));
afterAll(() => drop());

let made = 0;
async function submit(labels: Record<string, string>, tenantId = defaultTenantId): Promise<string> {
  const job = aNewJob({ id: `job-${++made}`, tenantId });
  await createJob(db, { ...job, start: aStart({ tenantId, labels, name: `run ${made}` }) });
  return job.id;
}

/** One record writes the whole life: from CREATED to COMPLETED. */
async function finish(jobId: string, agentId = 'agent-1'): Promise<void> {
  const at = new Date().toISOString();
  const state = aState(jobId, { status: 'COMPLETED', seq: 7, attempt: 1, agentId, endedAt: at });
  await makeRecorder(db).record(anEntry(jobId, 2, 7, { state }));
}

async function archive(id: string, kind: 'archived' | 'restored' = 'archived'): Promise<void> {
  const job = await getJob(db, defaultTenantId, id);
  if (job) expect(await archiveJob(db, job, { kind, actor: 'ada', reason: null })).toBeDefined();
}

async function walk(listing: Omit<JobListing, 'limit'>, between: () => Promise<void>): Promise<string[]> {
  const ids: string[] = [];
  let after: Position | undefined;
  do {
    const { jobs, next } = await listJobs(db, defaultTenantId, { ...listing, after, limit: 3 });
    ids.push(...jobs.map(({ id }) => id));
    after = next ?? undefined;
    await between();
  } while (after !== undefined);
  return ids;
}

type Step = { kind: 'submit' | 'finish' | 'archive'; at: number };
const steps = fc.array(
  fc.record({ kind: fc.constantFrom<Step['kind']>('submit', 'finish', 'archive'), at: fc.nat(30) }),
  { minLength: 5, maxLength: 25 },
);

test('whatever comes, changes and goes between pages: a job that is in the list all the time is in it exactly once', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.boolean(),
      fc.constantFrom('none', 'label', 'status'),
      async (changes, newestFirst, by) => {
        const labels = { run: String(++run) };
        const untouched: string[] = [];
        const others: string[] = [];
        for (let n = 0; n < 12; n++) (n % 3 === 0 ? others : untouched).push(await submit(labels));
        const left = [...changes];
        const change = async (): Promise<void> => {
          for (const { kind, at } of left.splice(0, 3)) {
            const id = others[at % others.length];
            if (kind === 'submit' || id === undefined) await submit(labels);
            else if (kind === 'finish') await finish(id);
            else {
              await finish(id);
              await archive(id);
              others.splice(others.indexOf(id), 1);
            }
          }
        };
        const seen = await walk(
          {
            sort: newestFirst ? '-createdAt' : 'createdAt',
            archived: false,
            ...(by === 'label' ? { labels: [['run', labels.run]] } : {}),
            ...(by === 'status' ? { statuses: ['CREATED'] } : {}),
          },
          change,
        );
        expect(new Set(seen).size).toBe(seen.length);
        const all = new Set(seen);
        expect(untouched.filter((id) => !all.has(id))).toEqual([]);
      },
    ),
    { numRuns: 25 },
  );
});

test('the counts are those of the rows, whatever happens at the same time', async () => {
  const ids = await Promise.all(Array.from({ length: 60 }, () => submit({ for: 'counts' })));
  const foreign = await submit({}, otherTenantId);
  await Promise.all(ids.slice(0, 50).map((id) => finish(id)));
  await Promise.all(ids.slice(0, 20).map((id) => archive(id)));
  await Promise.all(ids.slice(0, 10).map((id) => archive(id, 'restored')));
  await sql`delete from jobs where id in (${sql.join([...ids.slice(5, 15), ...ids.slice(45, 55)])})`.execute(
    db.kysely,
  );
  const { rows } = await sql<{ status: string; archived: boolean; jobs: number }>`
    select status, archived_at is not null as archived, count(*) as jobs from jobs
    where tenant_id = ${defaultTenantId} group by 1, 2`.execute(db.kysely);
  const { counts, archived } = await countJobs(db, defaultTenantId);
  const live = rows.filter((row) => !row.archived).map(({ status, jobs }) => [status, jobs]);
  expect(counts).toMatchObject(Object.fromEntries(live));
  expect(Object.values(counts).reduce((sum, n) => sum + n)).toBe(
    live.reduce((sum, [, n]) => sum + Number(n), 0),
  );
  expect(archived).toBe(rows.filter((row) => row.archived).reduce((sum, { jobs }) => sum + jobs, 0));
  expect((await countJobs(db, otherTenantId)).counts.CREATED).toBe(1);
  expect(await getJob(db, otherTenantId, foreign)).toBeDefined();
});

test('thousands of ends are added up, and nothing is lost', async () => {
  const { counts } = await countJobs(db, defaultTenantId);
  await sql`select tally_jobs(${defaultTenantId}, 'COMPLETED', false, 1) from generate_series(1, 5000)`.execute(
    db.kysely,
  );
  expect((await countJobs(db, defaultTenantId)).counts.COMPLETED).toBe(counts.COMPLETED + 5_000);
  const { rows } = await sql`select 1 from job_tallies where tenant_id = ${defaultTenantId}`.execute(
    db.kysely,
  );
  expect(rows.length).toBeLessThan(4_000);
});

test('a job is in the list of every agent that had it, and in that of the pool it asks for now', async () => {
  const id = await submit({});
  const recorder = makeRecorder(db);
  const held = (seq: number, agentId: string | null, pool: string | null) =>
    recorder.record({
      ...anEntry(id, seq, seq),
      state: aState(id, { status: agentId ? 'CLAIMED' : 'PENDING', seq, attempt: 1, agentId, pool }),
    });
  await held(2, 'first', 'gpu');
  await held(3, null, 'cpu');
  await held(4, 'second', 'cpu');
  await held(5, 'first', 'cpu');
  const listed = async (some: Partial<JobListing>): Promise<string[]> => {
    const { jobs } = await listJobs(db, defaultTenantId, {
      sort: '-createdAt',
      archived: false,
      limit: 9,
      ...some,
    });
    return jobs.map((job) => job.id);
  };
  for (const agentId of ['first', 'second']) expect(await listed({ agentId })).toEqual([id]);
  expect(await listed({ pool: 'cpu' })).toEqual([id]);
  expect(await listed({ pool: 'gpu' })).toEqual([]);
});

test('of a job that is deleted nothing is left in the tables of the lists', async () => {
  const id = await submit({ a: '1', b: '2' });
  const other = await submit({ a: '1' });
  await finish(id, 'gone');
  await archive(id);
  await sql`delete from jobs where id = ${id}`.execute(db.kysely);
  for (const table of ['job_facets', 'job_names', 'job_archivings']) {
    const { rows } = await sql`select * from ${sql.table(table)} where job_id = ${id}`.execute(db.kysely);
    expect(rows).toEqual([]);
  }
  const { rows } = await sql`select * from job_facets where job_id = ${other}`.execute(db.kysely);
  expect(rows.length).toBeGreaterThan(0);
});

test('progress changes no index', async () => {
  const id = await submit({ a: '1' });
  await makeRecorder(db).record(anEntry(id, 2, 5));
  await db.kysely.transaction().execute(async (transaction) => {
    const counted = async () =>
      (
        await sql<{ hot: number; all: number }>`
          select n_tup_hot_upd::int as hot, n_tup_upd::int as all from pg_stat_xact_user_tables where relname = 'jobs'`.execute(
          transaction,
        )
      ).rows[0];
    const before = await counted();
    await sql`update jobs set progress = '{"done": 1}', revision = revision + 1, updated_at = now() where id = ${id}`.execute(
      transaction,
    );
    const now = await counted();
    expect(Number(now?.all) - Number(before?.all)).toBe(1);
    expect(Number(now?.hot) - Number(before?.hot)).toBe(1);
  });
});
