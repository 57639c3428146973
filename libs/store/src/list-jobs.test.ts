import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { statuses } from '@perdure/job/status';
import { sql } from 'kysely';
import type { Database, OpenDatabase } from './database.ts';
import { walksOf } from './job-filter.ts';
import { budget, type JobListing, listJobs, slice } from './list-jobs.ts';
import { explaining, nodesOf } from './testing/explaining.ts';
import { aStart, openFresh, otherTenantId } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;
let as: (tenantId: string) => Database;

/** 5,000 jobs in one tenant and 30,000 in another, of which several share each microsecond, and few are PENDING, archived, or of anything that is called `rare`. */
beforeAll(async () => {
  ({ db, drop, as } = await openFresh());
  for (const [tenantId, count] of [
    [defaultTenantId, 5_000],
    [otherTenantId, 30_000],
  ] as const) {
    await sql`
      insert into jobs (id, tenant_id, owner, name, function_name, pool, agent_id, status, attempt, agent_losses, parameters,
        labels, priority, limits, files, revision, last_seq, start, created_at, ended_at, archived_at)
      select ${tenantId}::text || '-' || n, ${tenantId}::uuid, case when n % 1000 = 9 then 'rare' else 'ada' end,
        case when n % 4000 = 11 then 'Rare 100% of_it \\ ' || n when n % 2 = 0 then 'nightly run ' || n end,
        case when n % 1000 = 7 then 'rare' else 'echo' end, case n % 5 when 0 then 'gpu' when 1 then 'cpu' end,
        case when n % 1000 = 12 then 'rare' else 'agent-' || n % 7 end, status, 1, 0,
        jsonb_build_object('model', case when n % 1000 = 13 then repeat('rare', 100) else 'model-' || n % 3 end),
        jsonb_build_object('team', 'team-' || n % 4, 'a:b', case when n % 1000 = 14 then 'rare' else 'x' end), 3,
        '{}', '[]', 1, 1, ${JSON.stringify(aStart())}, at, case when status <> 'PENDING' then at + n % 13 * interval '1 second' end,
        case when status <> 'PENDING' and n % 50 = 3 then now() end
      from generate_series(1, ${count}) as n, lateral (
        select timestamptz '2026-01-01 00:00Z' + n / 4 * interval '1 microsecond' as at,
          case when n % 500 = 7 then 'PENDING' when n % 3 = 0 then 'FAILED' else 'COMPLETED' end as status
      ) as made`.execute(db.kysely);
  }
  await sql`
    insert into job_facets (tenant_id, facet, created_at, job_id)
    select tenant_id, job_facet('grant', 'rare'), created_at, id from jobs where function_name = 'rare'`.execute(
    db.kysely,
  );
  for (const table of ['jobs', 'job_facets', 'job_names'])
    await sql`vacuum analyze ${sql.table(table)}`.execute(db.kysely);
}, 120_000);
afterAll(() => drop());

const all: JobListing = { sort: '-createdAt', archived: false, limit: 500 };

async function everyPage(listing: JobListing): Promise<string[]> {
  const ids: string[] = [];
  let after: JobListing['after'];
  for (let pages = 0; pages < 1_000; pages++) {
    const { jobs, next } = await listJobs(as(defaultTenantId), defaultTenantId, { ...listing, after });
    expect(jobs.length).toBeLessThanOrEqual(listing.limit);
    ids.push(...jobs.map(({ id }) => id));
    if (next === null) return ids;
    after = next;
  }
  throw new Error('the list does not end');
}

const listings: [string, Partial<JobListing>, string][] = [
  ['all', { limit: 1_001 }, 'true'],
  ['of one status', { statuses: ['PENDING'], limit: 7 }, "status = 'PENDING'"],
  ['of several', { statuses: ['FAILED', 'PENDING', 'FAILED'] }, "status in ('FAILED', 'PENDING')"],
  ['of a status that nobody has', { statuses: ['RUNNING', 'CLAIMED'] }, 'false'],
  ['of every status', { statuses }, 'true'],
  ['of no status', { statuses: [] }, 'false'],
  ['of a function', { functionName: 'rare', limit: 3 }, "function_name = 'rare'"],
  ['of a common function', { functionName: 'echo' }, "function_name = 'echo'"],
  [
    'of a function and status',
    { functionName: 'echo', statuses: ['PENDING'] },
    "function_name = 'echo' and status = 'PENDING'",
  ],
  ['of a rare function and no job', { functionName: 'rare', agentId: 'rare' }, 'false'],
  ['of an agent', { agentId: 'rare' }, "agent_id = 'rare'"],
  ['of a common agent', { agentId: 'agent-3' }, "agent_id = 'agent-3'"],
  ['of a pool', { pool: 'gpu' }, "pool = 'gpu'"],
  ['of an owner', { owner: 'rare' }, "owner = 'rare'"],
  ['to be seen by a user', { visibleTo: 'rare', limit: 3 }, "(owner = 'rare' or function_name = 'rare')"],
  [
    'to be seen by a user, of a common pool and status',
    { visibleTo: 'rare', pool: 'gpu', statuses: ['COMPLETED'] },
    "(owner = 'rare' or function_name = 'rare') and pool = 'gpu' and status = 'COMPLETED'",
  ],
  [
    'to be seen by a user, of an owner',
    { visibleTo: 'rare', owner: 'ada' },
    "function_name = 'rare' and owner = 'ada'",
  ],
  ['to be seen by a user who owns much', { visibleTo: 'ada' }, "owner = 'ada'"],
  ['of a model', { model: 'model-1' }, "parameters ->> 'model' = 'model-1'"],
  [
    'of a model with a long name',
    { model: 'rare'.repeat(100) },
    "parameters ->> 'model' = repeat('rare', 100)",
  ],
  ['of a label', { labels: [['a:b', 'rare']] }, "labels ->> 'a:b' = 'rare'"],
  [
    'of two labels',
    {
      labels: [
        ['team', 'team-2'],
        ['a:b', 'rare'],
      ],
    },
    "labels ->> 'a:b' = 'rare' and labels ->> 'team' = 'team-2'",
  ],
  [
    'of labels that exclude each other',
    {
      labels: [
        ['team', 'team-2'],
        ['team', 'team-1'],
      ],
    },
    'false',
  ],
  ['with a rare text in the name', { nameContains: '0% of_it \\ ' }, "name like 'Rare%'"],
  ['with a common text in the name', { nameContains: 'NIGHTLY' }, "name like 'nightly%'"],
  ['with a text that none has', { nameContains: 'zebra' }, 'false'],
  [
    'created in a range',
    { createdAfter: '2026-01-01T00:00:00.0005Z', createdBefore: '2026-01-01T00:00:00.001Z' },
    "created_at >= '2026-01-01 00:00:00.0005Z' and created_at < '2026-01-01 00:00:00.001Z'",
  ],
  [
    'ended in a range',
    { endedAfter: '2026-01-01T00:00:04Z', endedBefore: '2026-01-01T00:00:05Z' },
    "ended_at >= '2026-01-01 00:00:04Z' and ended_at < '2026-01-01 00:00:05Z'",
  ],
  ['archived', { archived: true }, 'archived'],
  ['archived or not', { archived: 'any' }, 'any'],
  ['archived, of one status', { archived: true, statuses: ['FAILED'] }, "archived and status = 'FAILED'"],
  [
    'archived or not, of one status',
    { archived: 'any', statuses: ['FAILED', 'PENDING'] },
    "any and status in ('FAILED', 'PENDING')",
  ],
  [
    'archived or not, of a function',
    { archived: 'any', functionName: 'rare' },
    "any and function_name = 'rare'",
  ],
  [
    'of everything at once',
    {
      owner: 'ada',
      functionName: 'echo',
      agentId: 'agent-3',
      pool: 'gpu',
      model: 'model-1',
      labels: [['team', 'team-0']],
      statuses: ['COMPLETED', 'FAILED'],
      nameContains: 'nightly',
      createdAfter: '2026-01-01T00:00:00.0005Z',
      endedBefore: '2026-01-02T00:00:00Z',
    },
    "owner = 'ada' and function_name = 'echo' and agent_id = 'agent-3' and pool = 'gpu' and parameters ->> 'model' = 'model-1' and labels ->> 'team' = 'team-0' and status in ('COMPLETED', 'FAILED') and name like 'nightly%' and created_at >= '2026-01-01 00:00:00.0005Z'",
  ],
];

const sorts = [
  ['-createdAt', 'created_at desc, id desc'],
  ['createdAt', 'created_at, id'],
  ['-endedAt', 'ended_at desc, id desc'],
  ['endedAt', 'ended_at, id'],
] as const;

/** `archived` and `any` stand for what the filter of the same name means. */
function where(condition: string, sort: string): string {
  const archive = /^(archived|any)\b/.exec(condition)?.[1];
  const rest = condition.replace(/^(archived|any)( and )?/, '') || 'true';
  const which = archive === 'any' ? 'true' : `archived_at is ${archive ? 'not ' : ''}null`;
  return `${rest} and ${which}${sort.endsWith('endedAt') ? ' and ended_at is not null' : ''}`;
}

describe.each(sorts)('sorted by %s', (sort, order) => {
  test.each(listings)('%s: in order, each once, none left out', async (_name, some, condition) => {
    const { rows } = await sql<{ id: string }>`
      select id from jobs where tenant_id = ${defaultTenantId} and ${sql.raw(where(condition, sort))}
      order by ${sql.raw(order)}`.execute(db.kysely);
    expect(await everyPage({ ...all, sort, ...some })).toEqual(rows.map(({ id }) => id));
  });
});

describe.each(['-createdAt', '-endedAt'] as const)('sorted by %s', (sort) => {
  test.each(listings)(
    '%s: a page reads no table from end to end, and sorts only heads',
    async (_name, some) => {
      const { db: watched, plans } = explaining(as(otherTenantId));
      const listing: JobListing = { ...all, sort, ...some, limit: 20 };
      await listJobs(watched, otherTenantId, listing);
      const at = sort.endsWith('endedAt') ? '2026-01-01T00:00:06.000000Z' : '2026-01-01T00:00:00.003000Z';
      await listJobs(watched, otherTenantId, { ...listing, after: { at, id: 'x' } });
      const nodes = (await plans()).flatMap(nodesOf);
      expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
      const rows = nodes.map(
        (node) => Number(node['Actual Rows']) + Number(node['Rows Removed by Filter'] ?? 0),
      );
      expect(Math.max(0, ...rows)).toBeLessThanOrEqual(budget * 2);
      const sorted = nodes.filter((node) => node['Node Type'] === 'Sort').flatMap((node) => node.Plans ?? []);
      expect(Math.max(0, ...sorted.map((node) => Number(node['Actual Rows'])))).toBeLessThanOrEqual(
        budget * 2,
      );
    },
  );
});

test.each(['nightly_', 'nightly', 'rare'])(
  'where the index of names would take too long, all names are gone through: %s',
  async (nameContains) => {
    const listing = { ...all, nameContains };
    const walks = walksOf(defaultTenantId, listing, 'createdAt', { byText: false });
    const ids: string[] = [];
    let after: JobListing['after'];
    do {
      const { jobs, next } = await slice(as(defaultTenantId), defaultTenantId, { ...listing, after }, walks);
      ids.push(...jobs.map(({ id }) => id));
      after = next ?? undefined;
    } while (after !== undefined);
    expect(ids).toEqual(await everyPage(listing));
  },
);

test('a plan that reads a table from end to end is noticed', async () => {
  const { db: watched, plans } = explaining(db);
  await sql`select * from jobs where owner = 'rare' order by owner`.execute(watched.kysely);
  const nodes = (await plans()).flatMap(nodesOf);
  expect(nodes.map((node) => node['Node Type'])).toContain('Seq Scan');
});

test('the jobs of another tenant are in no list', async () => {
  const ids = await everyPage({ ...all, archived: 'any', owner: 'rare' });
  expect(ids.filter((id) => !id.startsWith(defaultTenantId))).toEqual([]);
  const nobody = '00000000-0000-7000-8000-000000000abc';
  for (const [, some] of listings) {
    expect(await listJobs(as(nobody), nobody, { ...all, ...some })).toEqual({ jobs: [], next: null });
  }
});
