import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { defaultTenantId } from '@perdure/job/ids';
import { type Selectable, sql } from 'kysely';
import { archiveJob, createKey, createUser, putGrant } from './admin.ts';
import { announceAgent } from './agents.ts';
import { type Database, openTenantDatabases } from './database.ts';
import { insertFile } from './files.ts';
import { announceFunctions } from './functions.ts';
import { appendLogs } from './logs.ts';
import { createPool, poolExists } from './pools.ts';
import { getJob } from './read-jobs.ts';
import { makeRecorder } from './record.ts';
import type { Schema } from './schema.ts';
import { createJob } from './submit.ts';
import { aNewJob, anEntry, aStart, type Fresh, openFresh, otherTenantId } from './test-support.ts';
import { createUpload } from './uploads.ts';

let fresh: Fresh;
beforeAll(async () => {
  fresh = await openFresh();
  await sql`insert into tenants (tenant_id, name) values (${otherTenantId}, 'other')`.execute(
    fresh.db.kysely,
  );
  for (const tenantId of [defaultTenantId, otherTenantId]) await fill(tenantId);
});
afterAll(() => fresh.drop());

/** A row of the tenant in every table that it may read. */
async function fill(tenantId: string): Promise<void> {
  const { db } = fresh;
  const id = `job of ${tenantId}`;
  await announceAgent(db, anAgent(`agent of ${tenantId}`, tenantId));
  const start = aStart({ tenantId, labels: { of: tenantId }, name: 'find me' });
  await createJob(db, aNewJob({ id, tenantId, start }), { caller: 'ada', key: 'key', fingerprint: 'f' });
  await makeRecorder(db).record(anEntry(id, 2, 5, { start }));
  await appendLogs(db, id, 1, [
    { at: new Date().toISOString(), stream: 'log', level: 'info', text: 'hello' },
  ]);
  await makeRecorder(db).record(anEntry(id, 6, 7, { start }));
  const job = await getJob(db, tenantId, id);
  if (job) await archiveJob(db, job, { kind: 'archived', actor: 'ada', reason: null });
  await sql`insert into purged_jobs (id, tenant_id, owner, function_name, status, created_at, ended_at)
    values (${`purged of ${tenantId}`}, ${tenantId}, 'ada', 'echo', 'COMPLETED', now(), now())`.execute(
    db.kysely,
  );
  await sql`insert into claims (tenant_id, agent_id, claim_id, job_id) values (${tenantId}, ${`agent of ${tenantId}`}, 'c', ${id})`.execute(
    db.kysely,
  );
  const bytes = { name: 'a', mediaType: 'text/plain', size: 1, sha256: 'a'.repeat(64) };
  const draft = { ...bytes, tenantId, jobId: id, attempt: 1 };
  await db.kysely
    .insertInto('drafts')
    .values({ ...draft, id: crypto.randomUUID() })
    .execute();
  const createdAt = new Date().toISOString();
  await insertFile(db, { ...bytes, id: crypto.randomUUID(), tenantId, owner: 'ada', jobId: null, createdAt });
  const upload = { id: crypto.randomUUID(), tenantId, owner: 'ada', metadata: '', size: 3 };
  await createUpload(db, upload, 60_000);
  await sql`insert into upload_parts (tenant_id, upload_id, at, id) values (${tenantId}, ${upload.id}, 0, ${crypto.randomUUID()})`.execute(
    db.kysely,
  );
  await sql`insert into audit_entries (tenant_id, actor_kind, actor, action, outcome) values (${tenantId}, 'user', 'ada', 'createPool', 'done')`.execute(
    db.kysely,
  );
  const user = await createUser(db, {
    tenantId,
    kind: 'service',
    email: null,
    displayName: 's',
    role: 'member',
  });
  const secret = { hash: createHash('sha256').update(tenantId).digest(), prefix: 'pk_abc', lastFour: 'wxyz' };
  await createKey(db, { tenantId, userId: user?.id ?? '', name: 'k', role: 'member', ...secret });
  const order = { userId: user?.id ?? '', access: 'viewer', by: 'ada', reason: null } as const;
  await putGrant(db, tenantId, { kind: 'job', id }, order);
  await createPool(db, { tenantId, name: `pool of ${tenantId}`, description: null, createdBy: 'ada' });
  await announceFunctions(db, [
    {
      tenantId,
      name: 'echo',
      version: '1.0.0',
      description: '',
      inputSchema: {},
      outputSchema: null,
      result: null,
      tool: null,
      operatingSystems: null,
    },
  ]);
}

const anAgent = (id: string, tenantId: string | null) => ({
  id,
  tenantId,
  kind: 'http' as const,
  displayName: id,
  pools: [`of ${id}`],
  functions: [],
  tools: [],
  operatingSystem: 'linux' as const,
  slots: 1,
  softwareVersion: '1',
  leaseSeconds: 60,
  startedAt: new Date().toISOString(),
});

type Count = { all: number; own: number };
const count = async (db: Database, table: string): Promise<Count> => {
  const { rows } = await sql<Count>`select count(*)::int as all,
    (count(*) filter (where tenant_id = ${defaultTenantId}))::int as own from ${sql.table(table)}`.execute(
    db.kysely,
  );
  return rows[0] ?? { all: 0, own: 0 };
};
const denied = { code: '42501' };

/** What only the owner of the tables reads: counted requests, and the names behind `tenant_job_names`. */
const ofTheOwner = ['request_counts', 'job_names'];

test('of each table with tenants, one tenant sees its own rows and no others, though no query asks for a tenant', async () => {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relkind in ('r', 'p', 'v') and not relispartition and relnamespace = 'public'::regnamespace
      and exists (select from pg_attribute where attrelid = pg_class.oid and attname = 'tenant_id')
    order by 1`.execute(fresh.db.kysely);
  const names = rows.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining([...ofTheOwner, 'jobs', 'job_logs', 'tenant_job_names']));
  for (const table of names) {
    if (ofTheOwner.includes(table)) {
      await expect(count(fresh.as(defaultTenantId), table)).rejects.toMatchObject(denied);
      continue;
    }
    const seen = await count(fresh.as(defaultTenantId), table);
    expect({ table, ...seen }).toEqual({ table, all: seen.own, own: seen.own });
    expect({ table, any: seen.own > 0 }).toEqual({ table, any: true });
    if (table === 'tenant_job_names') continue;
    const { all, own } = await count(fresh.db, table);
    expect({ table, others: all > own }).toEqual({ table, others: true });
  }
});

test('a table of one day of logs, and a row of no tenant that was named, are not to be had', async () => {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relispartition and relkind = 'r' limit 1`.execute(
    fresh.db.kysely,
  );
  await expect(count(fresh.as(defaultTenantId), rows[0]?.name ?? '')).rejects.toMatchObject(denied);
  const nobody = await count(fresh.as('00000000-0000-7000-8000-000000000abc'), 'jobs');
  expect(nobody).toEqual({ all: 0, own: 0 });
});

describe('for one tenant', () => {
  test("nothing of another's can be written, changed or removed", async () => {
    const { kysely } = fresh.as(defaultTenantId);
    const theirs = aNewJob({ tenantId: otherTenantId });
    await expect(createJob(fresh.as(defaultTenantId), theirs)).rejects.toMatchObject(denied);
    const touched = [
      await kysely.updateTable('jobs').set({ priority: 1 }).where('owner', '=', 'ada').execute(),
      await kysely.updateTable('users').set({ role: 'admin' }).where('kind', '=', 'service').execute(),
    ].flat();
    const all = await fresh.db.kysely
      .selectFrom('jobs')
      .select(['priority'])
      .where('tenantId', '=', otherTenantId)
      .execute();
    expect(all.map(({ priority }) => priority)).toEqual([3]);
    // Its own, and the first admin.
    expect(touched.map(({ numUpdatedRows }) => numUpdatedRows)).toEqual([1n, 2n]);
    await kysely.deleteFrom('uploads').execute();
    expect((await count(fresh.db, 'uploads')).all).toBe(1);
    await expect(
      kysely.updateTable('files').set({ tenantId: otherTenantId }).execute(),
    ).rejects.toMatchObject(denied);
    await expect(kysely.updateTable('keys').set({ tenantId: otherTenantId }).execute()).rejects.toMatchObject(
      denied,
    );
  });

  test.each(['job_events', 'job_logs', 'job_archivings'])(
    'what %s say can be neither changed nor removed',
    async (table) => {
      const { kysely } = fresh.as(defaultTenantId);
      const change = sql`update ${sql.table(table)} set tenant_id = tenant_id`;
      await expect(change.execute(kysely)).rejects.toMatchObject(denied);
      await expect(sql`delete from ${sql.table(table)}`.execute(kysely)).rejects.toMatchObject(denied);
    },
  );

  test('an id that a job of another tenant has or had is taken', async () => {
    for (const id of [`job of ${otherTenantId}`, `purged of ${otherTenantId}`]) {
      const made = await createJob(fresh.as(defaultTenantId), aNewJob({ id }));
      expect(made).toEqual({ created: false, reason: 'id-taken', job: undefined });
    }
    const agent = anAgent(`agent of ${otherTenantId}`, defaultTenantId);
    await expect(announceAgent(fresh.as(defaultTenantId), agent)).rejects.toMatchObject({ code: 'id-taken' });
  });

  test("everybody's agents and pools are to be seen, and not to be changed", async () => {
    await announceAgent(fresh.db, anAgent('shared', null));
    const own = fresh.as(defaultTenantId);
    expect(await poolExists(own, defaultTenantId, 'of shared')).toBe(true);
    const drained = own.kysely.updateTable('agents').set({ slots: 9 }).where('id', '=', 'shared');
    await expect(drained.execute()).rejects.toMatchObject(denied);
  });
});

test('tenants that share connections do not see each other, through errors, transactions and all at once', async () => {
  const tenants = openTenantDatabases(fresh.url, { poolSize: 2 });
  const see = async (tenantId: string): Promise<string[]> => {
    const rows: Pick<Selectable<Schema['jobs']>, 'tenantId'>[] = await tenants
      .of(tenantId)
      .kysely.selectFrom('jobs')
      .select('tenantId')
      .execute();
    return [...new Set(rows.map((row) => row.tenantId))];
  };
  try {
    const turns = Array.from({ length: 60 }, async (_, turn) => {
      const tenantId = turn % 3 === 0 ? otherTenantId : defaultTenantId;
      const { kysely } = tenants.of(tenantId);
      if (turn % 5 === 1) await expect(sql`select 1 / 0`.execute(kysely)).rejects.toThrow();
      if (turn % 5 === 2) {
        const broken = kysely.transaction().execute(async (transaction) => {
          await sql`select 1`.execute(transaction);
          throw new Error('given up');
        });
        await expect(broken).rejects.toThrow('given up');
      }
      expect(await see(tenantId)).toEqual([tenantId]);
    });
    await Promise.all(turns);
    // What is no id of a tenant sees nothing, and leaves nothing behind.
    await expect(see('nonsense')).rejects.toThrow();
    expect(await see(otherTenantId)).toEqual([otherTenantId]);
  } finally {
    await tenants.close();
  }
});
