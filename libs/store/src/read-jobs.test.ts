import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { statuses } from '@perdure/job/status';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { findIdempotent, getEvents, getJob, getRevision, type JobFilter, listJobs } from './read.ts';
import { createJob } from './submit.ts';
import { aNewJob, aStart, openFresh, otherTenantId } from './test-support.ts';

let db: Database;
let drop: () => Promise<void>;

/** Many jobs, of which several share each microsecond, and few are PENDING or of the function `rare`. */
beforeAll(async () => {
  ({ db, drop } = await openFresh());
  await sql`
    insert into jobs (id, tenant_id, owner, function_name, status, attempt, agent_losses, parameters, labels, priority,
      limits, files, revision, last_seq, start, created_at)
    select 'job-' || n, ${defaultTenantId}, 'ada', case when n % 1000 = 7 then 'rare' else 'echo' end,
      case when n % 500 = 7 then 'PENDING' when n % 3 = 0 then 'FAILED' else 'COMPLETED' end, 1, 0, '{}', '{}', 3,
      '{}', '[]', 1, 1, ${JSON.stringify(aStart())}, timestamptz '2026-01-01 00:00Z' + n / 4 * interval '1 microsecond'
    from generate_series(1, 20000) as n`.execute(db.kysely);
  await createJob(db, aNewJob({ id: 'foreign', tenantId: otherTenantId }));
  await sql`analyze jobs`.execute(db.kysely);
});
afterAll(() => drop());

async function everyPage(filter: JobFilter): Promise<string[]> {
  const ids: string[] = [];
  let after: JobFilter['after'];
  for (;;) {
    const page = await listJobs(db, defaultTenantId, { ...filter, after });
    ids.push(...page.map(({ id }) => id));
    after = page.at(-1);
    if (page.length < filter.limit) return ids;
  }
}

describe('pages of jobs', () => {
  const filters: [string, JobFilter, string][] = [
    ['all', { limit: 3_001 }, 'true'],
    ['of one status', { statuses: ['PENDING'], limit: 7 }, "status = 'PENDING'"],
    [
      'of several',
      { statuses: ['FAILED', 'PENDING', 'FAILED'], limit: 999 },
      "status in ('FAILED', 'PENDING')",
    ],
    ['of a function', { functionName: 'rare', limit: 3 }, "function_name = 'rare'"],
    [
      'of both',
      { functionName: 'echo', statuses: ['PENDING'], limit: 3 },
      "function_name = 'echo' and status = 'PENDING'",
    ],
    ['of nothing', { statuses: [], limit: 3 }, 'false'],
  ];

  test.each(filters)('%s: newest first, each once, none left out', async (_name, filter, condition) => {
    const { rows } = await sql<{ id: string }>`
      select id from jobs where tenant_id = ${defaultTenantId} and ${sql.raw(condition)}
      order by created_at desc, id desc`.execute(db.kysely);
    expect(await everyPage(filter)).toEqual(rows.map(({ id }) => id));
  });

  test.each([
    ['all', {}],
    ['of a rare status', { statuses: ['PENDING'] as const }],
    ['of a status that nobody has', { statuses: ['RUNNING', 'CLAIMED'] as const }],
    ['of every status', { statuses }],
    ['of a rare function', { functionName: 'rare' }],
    ['of a rare function and status', { functionName: 'rare', statuses: ['PENDING', 'FAILED'] as const }],
  ])('%s: touch few rows of many', async (_name, filter) => {
    const { db: watched, plans } = explaining(db);
    await listJobs(watched, defaultTenantId, {
      ...filter,
      limit: 20,
      after: { createdAt: '2026-01-01T00:00:00.004000Z', id: 'x' },
    });
    const [plan = ''] = await plans();
    expect(plan).not.toContain('Seq Scan');
    const touched = [...plan.matchAll(/Buffers: shared hit=(\d+)/g)].map(([, pages]) => Number(pages));
    expect(Math.max(...touched)).toBeLessThan(200);
  });
});

/** Keeps the statements that are executed, to run them again with `explain`. */
function explaining(plain: Database): { db: Database; plans(): Promise<string[]> } {
  const seen: { sql: string; parameters: readonly unknown[] }[] = [];
  const kysely = plain.kysely.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: ({ result }) => Promise.resolve(result),
  });
  const executor = kysely.getExecutor();
  const compile = executor.compileQuery.bind(executor);
  executor.compileQuery = (node, id) => {
    const query = compile(node, id);
    seen.push({ sql: query.sql, parameters: query.parameters });
    return query;
  };
  return {
    db: { ...plain, kysely },
    plans: () =>
      Promise.all(
        seen.map(async (query) => {
          const text = `explain (analyze, buffers) ${query.sql}`;
          const { rows } = await plain.pool.query({ text, values: [...query.parameters], rowMode: 'array' });
          return rows.join('\n');
        }),
      ),
  };
}

test('what another tenant has is not there', async () => {
  expect(await getJob(db, defaultTenantId, 'foreign')).toBeUndefined();
  expect(await getRevision(db, defaultTenantId, 'foreign')).toBeUndefined();
  expect(await getEvents(db, defaultTenantId, 'foreign')).toEqual([]);
  expect((await listJobs(db, otherTenantId, { limit: 10 })).map(({ id }) => id)).toEqual(['foreign']);
});

test('the revision is had without the job', async () => {
  expect(await getRevision(db, otherTenantId, 'foreign')).toMatchObject({ revision: 1, status: 'CREATED' });
});

test('a key is found by tenant and caller', async () => {
  const job = aNewJob();
  const key = randomUUID();
  await createJob(db, job, { caller: 'ada', key, fingerprint: 'f' });
  expect(await findIdempotent(db, defaultTenantId, 'ada', key)).toEqual({ jobId: job.id, fingerprint: 'f' });
  expect(await findIdempotent(db, otherTenantId, 'ada', key)).toBeUndefined();
  expect(await findIdempotent(db, defaultTenantId, 'bob', key)).toBeUndefined();
});
