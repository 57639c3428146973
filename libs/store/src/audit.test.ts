import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { sql } from 'kysely';
import {
  type AuditFilter,
  auditBudget,
  dropAudit,
  enterAudit,
  listAudit,
  type NewAuditEntry,
} from './audit.ts';
import { closeFromOutside } from './close-from-outside.ts';
import type { Database, OpenDatabase } from './database.ts';
import { makeRecorder } from './record.ts';
import { createJob } from './submit.ts';
import { explaining, nodesOf } from './testing/explaining.ts';
import { aNewJob, anEntry, anEvent, aState, openFresh, otherTenantId } from './test-support.ts';
import { inTransaction } from './transactions.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;
let as: (tenantId: string) => Database;

/** 3,000 entries in one tenant and 60,000 in another, several a microsecond, of which few are of anything that is called `rare`. */
beforeAll(async () => {
  ({ db, as, drop } = await openFresh());
  for (const [tenantId, count] of [
    [defaultTenantId, 3_000],
    [otherTenantId, 60_000],
  ] as const)
    await sql`
      insert into audit_entries (tenant_id, at, actor_kind, actor, action, target_kind, target, outcome)
      select ${tenantId}::uuid, timestamptz '2026-01-01 00:00Z' + n / 4 * interval '1 microsecond', 'user',
        case when n % 1000 = 9 then 'rare' else 'ada' end, case when n % 1000 = 7 then 'rare' else 'submitJob' end,
        case when n % 1000 = 3 then 'user' else 'job' end, case when n % 1000 = 11 then 'rare' else 'job-' || n end,
        case when n % 1000 = 13 then 'failed' when n % 100 = 14 then 'asked' else 'done' end
      from generate_series(1, ${count}) as n`.execute(db.kysely);
  await sql`vacuum analyze audit_entries`.execute(db.kysely);
}, 60_000);
afterAll(() => drop());

function anAct(some: Partial<NewAuditEntry> = {}): NewAuditEntry {
  return {
    tenantId: '00000000-0000-7000-8000-000000000abc',
    actorKind: 'user',
    actor: 'ada',
    keyId: null,
    action: 'createPool',
    targetKind: 'pool',
    target: 'gpu',
    outcome: 'done',
    code: null,
    reason: null,
    requestId: 'a-request',
    address: '127.0.0.1',
    ...some,
  };
}

const entriesOf = async (tenantId: string, filter: AuditFilter = {}) =>
  (await listAudit(as(tenantId), tenantId, { ...filter, limit: 100 })).items;

async function everyPage(filter: AuditFilter, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let next: Awaited<ReturnType<typeof listAudit>>['next'] | undefined;
  for (let pages = 0; next !== null; pages++) {
    if (pages > 1_000) throw new Error('the list does not end');
    const page = await listAudit(as(defaultTenantId), defaultTenantId, { ...filter, after: next, limit });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    ids.push(...page.items.map(({ id }) => id));
    ({ next } = page);
  }
  return ids;
}

const filters: [AuditFilter, string][] = [
  [{}, 'true'],
  [{ actor: 'rare' }, "actor = 'rare'"],
  [{ actor: 'ada' }, "actor = 'ada'"],
  [{ action: 'rare' }, "action = 'rare'"],
  [{ target: 'rare' }, "target = 'rare'"],
  [{ targetKind: 'user' }, "target_kind = 'user'"],
  [{ outcome: 'failed' }, "outcome = 'failed'"],
  [{ outcome: 'asked' }, "outcome = 'asked'"],
  [{ outcome: 'asked', actor: 'rare' }, "outcome = 'asked' and actor = 'rare'"],
  [{ outcome: 'failed', actor: 'ada', action: 'submitJob' }, "outcome = 'failed' and actor = 'ada'"],
  [{ target: 'rare', targetKind: 'job', actor: 'ada' }, "target = 'rare'"],
  [{ action: 'rare', actor: 'rare' }, 'false'],
  [
    { since: '2026-01-01T00:00:00.0002Z', until: '2026-01-01T00:00:00.0004Z', actor: 'ada' },
    "actor = 'ada' and at >= '2026-01-01 00:00:00.0002Z' and at < '2026-01-01 00:00:00.0004Z'",
  ],
];

test.each(filters)('%j: newest first, each once, none left out', async (filter, condition) => {
  const { rows } = await sql<{ id: string }>`
    select id from audit_entries where tenant_id = ${defaultTenantId} and ${sql.raw(condition)}
    order by at desc, id desc`.execute(db.kysely);
  for (const limit of [7, 200, 1_000])
    expect(await everyPage(filter, limit)).toEqual(rows.map(({ id }) => id));
});

test.each(filters)('%j: a page reads no more than its budget, and sorts nothing', async (filter) => {
  const { db: watched, plans } = explaining(as(otherTenantId));
  await listAudit(watched, otherTenantId, { ...filter, limit: 50 });
  const after = { at: '2026-01-01T00:00:00.009000Z', id: otherTenantId };
  await listAudit(watched, otherTenantId, { ...filter, after, limit: 50 });
  const nodes = (await plans()).flatMap(nodesOf);
  expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
  const rows = nodes.map((node) => Number(node['Actual Rows']) + Number(node['Rows Removed by Filter'] ?? 0));
  expect(Math.max(...rows)).toBeLessThanOrEqual(auditBudget);
});

test('an entry says all that is known, and what the database cannot store is replaced', async () => {
  await enterAudit(db, [anAct({ reason: 'odd \u0000 text', keyId: otherTenantId }), anAct({ target: null })]);
  const { tenantId, ...act } = anAct();
  const [last, first] = await entriesOf(tenantId);
  expect([first, last].map((one) => one?.at)).toEqual([last?.at, first?.at]);
  const both = [first, last].sort((one) => (one?.target === null ? 1 : -1));
  expect(both).toMatchObject([
    { ...act, reason: 'odd \uFFFD text', keyId: otherTenantId },
    { ...act, target: null },
  ]);
});

test('an entry falls with the change that it tells of', async () => {
  const tenantId = '00000000-0000-7000-8000-000000000abd';
  const failed = inTransaction(db, async (kysely) => {
    await enterAudit({ kysely }, [anAct({ tenantId })]);
    throw new Error('the change fails');
  });
  await expect(failed).rejects.toThrow('the change fails');
  expect(await entriesOf(tenantId)).toEqual([]);
});

test('what operators do in Temporal is entered with the event that tells of it', async () => {
  const act = { actor: '71@desk', message: 'it hung' };
  for (const id of ['reset', 'paused', 'terminated']) await createJob(db, aNewJob({ id }));
  const record = (id: string, type: 'reset' | 'interrupted') =>
    makeRecorder(db).record(
      anEntry(id, 2, 3, {
        state: aState(id, { seq: 3 }),
        events: [anEvent(2, 'queued', 'PENDING'), anEvent(3, type, 'PENDING', act)],
      }),
    );
  await record('reset', 'reset');
  // An answer that was lost: the same is recorded again.
  await record('reset', 'reset');
  await record('paused', 'interrupted');
  const error = { code: 'terminated', title: 'Terminated', detail: 'it hung' } as const;
  const event = { ...act, type: 'failed', code: 'terminated' } as const;
  expect(await closeFromOutside(db, 'terminated', { status: 'FAILED', error, event }, 1)).toBe(true);
  const since = '2026-02-01T00:00:00Z';
  const entries = await entriesOf(defaultTenantId, { since });
  expect(entries.map(({ action, target }) => [action, target])).toEqual([
    ['terminateWorkflow', 'terminated'],
    ['interruptActivity', 'paused'],
    ['resetWorkflow', 'reset'],
  ]);
  for (const entry of entries)
    expect(entry).toMatchObject({ actorKind: 'temporal', actor: '71@desk', reason: 'it hung', keyId: null });
});

test('entries whose time is over go, so many at once, and no others', async () => {
  const tenantId = '00000000-0000-7000-8000-000000000abe';
  await enterAudit(db, [anAct({ tenantId })]);
  const count = async () =>
    (
      await sql<{
        n: number;
      }>`select count(*)::int as n from audit_entries where at < now() - interval '30 days'`.execute(
        db.kysely,
      )
    ).rows[0]?.n;
  expect(await dropAudit(db, 36_500, 10)).toBe(0);
  expect(await count()).toBe(63_000);
  expect(await dropAudit(db, 30, 1_000)).toBe(1_000);
  expect(await count()).toBe(62_000);
  expect(await entriesOf(tenantId)).toHaveLength(1);
});

test('who acts for a tenant adds entries of its own and reads them, and changes none', async () => {
  const tenantId = '00000000-0000-7000-8000-000000000abf';
  const own = as(tenantId);
  await enterAudit(own, [anAct({ tenantId, reason: 'as it was' })]);
  const denied = { code: '42501' };
  await expect(enterAudit(own, [anAct({ tenantId: otherTenantId })])).rejects.toMatchObject(denied);
  for (const statement of [
    `update audit_entries set reason = 'another'`,
    `delete from audit_entries`,
    `truncate audit_entries`,
    `alter table audit_entries disable row level security`,
    `drop trigger audit_operator on job_events`,
  ])
    await expect(sql.raw(statement).execute(own.kysely)).rejects.toMatchObject(denied);
  await expect(dropAudit(own, 0, 1)).rejects.toMatchObject(denied);
  const { rows } = await sql`select reason from audit_entries`.execute(own.kysely);
  expect(rows).toEqual([{ reason: 'as it was' }]);
  expect((await listAudit(own, defaultTenantId, { limit: 10 })).items).toEqual([]);
});
