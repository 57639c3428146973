import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { freshDatabase } from '../../../tests/support/database.ts';
import { archiveJob, purgeEnded } from './admin.ts';
import { countJobs } from './count-jobs.ts';
import {
  migrate,
  type OpenDatabase,
  openDatabase,
  openTenantDatabases,
  type TenantDatabases,
} from './database.ts';
import { getFeed } from './event-feed.ts';
import { type JobFilter, listJobs } from './list-jobs.ts';
import { logsKeptSince } from './log-partitions.ts';
import { migrations } from './migrations/index.ts';
import { getEvents, getJob, getPool } from './read.ts';
import { getLogs } from './read-logs.ts';
import { makeRecorder } from './record.ts';
import { linkRerun } from './reruns.ts';
import { anEntry, aStart, otherTenantId } from './test-support.ts';

let db: OpenDatabase;
let tenants: TenantDatabases;
let drop: () => Promise<void>;
beforeEach(async () => {
  const { url, drop: dropDatabase } = await freshDatabase();
  db = openDatabase(url);
  tenants = openTenantDatabases(url, { poolSize: 1 });
  drop = () => Promise.all([db.close(), tenants.close()]).then(dropDatabase);
});
afterEach(() => drop());

async function migrateTo(name: string): Promise<void> {
  const provider = { getMigrations: () => Promise.resolve(migrations) };
  const { error } = await new Migrator({ db: db.kysely.withoutPlugins(), provider }).migrateTo(name);
  if (error !== undefined) throw new Error(`${name} could not be applied`, { cause: error });
}

const run = (text: string) => sql.raw(text).execute(db.kysely);
const mine = defaultTenantId;

/** A row as versions from 0003 on wrote it; what `some` does not say is that of an ordinary job that completed. */
function aJob(id: string, some: Record<string, string> = {}): Promise<unknown> {
  const columns = {
    id: `'${id}'`,
    tenant_id: `'${mine}'`,
    owner: `'ada'`,
    function_name: `'echo'`,
    status: `'COMPLETED'`,
    attempt: '1',
    agent_losses: '0',
    parameters: `'{"model": "iris"}'`,
    labels: `'{}'`,
    priority: '3',
    limits: `'{}'`,
    files: `'[]'`,
    revision: '7',
    last_seq: '7',
    start: `'${JSON.stringify(aStart())}'`,
    ended_at: 'now()',
    ...some,
  };
  return run(
    `insert into jobs (${Object.keys(columns).join(', ')}) values (${Object.values(columns).join(', ')})`,
  );
}
const anEvent = (jobId: string, seq: number, agent = 'null') =>
  run(`insert into job_events (tenant_id, job_id, seq, type, at, status, attempt, actor, agent_id)
    values ('${mine}', '${jobId}', ${seq}, 'claimed', now(), 'CLAIMED', 1, 'perdure', ${agent})`);
const aLine = (jobId: string, text: string, ago: string) =>
  run(`insert into job_logs (tenant_id, job_id, at, attempt, stream, level, text)
    values ('${mine}', '${jobId}', now() - interval '${ago}', 1, 'log', 'info', '${text}')`);

const listed = async (some: Partial<JobFilter>, tenantId = mine): Promise<string[]> => {
  const { jobs } = await listJobs(tenants.of(tenantId), tenantId, {
    sort: 'createdAt',
    archived: false,
    limit: 100,
    ...some,
  });
  return jobs.map(({ id }) => id).sort();
};

const running = { status: `'RUNNING'`, ended_at: 'null', revision: '5', last_seq: '5' };
const long = 'x'.repeat(3_000);

test('what was kept before lists, the archive and the tables of log lines came is found by them', async () => {
  await migrateTo('0007-event-streams');
  await aJob('plain');
  await aJob('held', {
    ...running,
    name: `'Nightly 100%'`,
    pool: `'gpu'`,
    agent_id: `'now'`,
    owner: `'bob'`,
  });
  await aJob('labelled', { status: `'FAILED'`, labels: `'{"team": "red", "long": "${long}"}'` });
  await aJob('odd', {
    status: `'CANCELED'`,
    labels: `'[]'`,
    parameters: `'{"model": 7}'`,
    owner: `'${long}'`,
  });
  await aJob('theirs', { tenant_id: `'${otherTenantId}'`, name: `'nightly of others'` });
  await run(`insert into job_events (tenant_id, job_id, seq, type, at, status, attempt, actor, agent_id, revision)
    select '${mine}', 'held', n, 'claimed', now(), 'CLAIMED', n, 'perdure', (array['before', 'before', 'now'])[n], n
    from generate_series(1, 3) as n`);
  for (const [text, ago] of [
    ['too old', '36 days'],
    ['old', '34 days'],
    ['new', '1 minute'],
    ['ahead', '-1 day'],
    ['of a wrong clock', '-9 days'],
  ] as const)
    await aLine('held', text, ago);
  await aLine('plain', 'alone', '2 days');

  expect((await migrate(db))[0]).toBe('0008-log-partitions');

  const lists: [Partial<JobFilter>, string[]][] = [
    [{}, ['held', 'labelled', 'odd', 'plain']],
    [{ owner: 'bob' }, ['held']],
    [{ owner: long }, ['odd']],
    [{ functionName: 'echo' }, ['held', 'labelled', 'odd', 'plain']],
    [{ pool: 'gpu' }, ['held']],
    [{ agentId: 'now' }, ['held']],
    [{ agentId: 'before' }, ['held']],
    [{ model: 'iris' }, ['held', 'labelled', 'plain']],
    [{ model: '7' }, []],
    [{ labels: [['team', 'red']] }, ['labelled']],
    [{ labels: [['long', long]] }, ['labelled']],
    [{ nameContains: 'nightly 100%' }, ['held']],
    [{ statuses: ['RUNNING', 'FAILED'] }, ['held', 'labelled']],
    [{ archived: true }, []],
  ];
  for (const [filter, ids] of lists) expect([filter, await listed(filter)]).toEqual([filter, ids]);
  expect(await listed({ nameContains: 'nightly' }, otherTenantId)).toEqual(['theirs']);
  expect(await countJobs(db, mine)).toMatchObject({
    counts: { RUNNING: 1, COMPLETED: 1, FAILED: 1, CANCELED: 1, PENDING: 0 },
    archived: 0,
  });

  const texts = async (id: string) =>
    (await getLogs(db, mine, id, { limit: 100, bytes: 1_000_000 })).lines.map(({ text }) => text);
  expect(await texts('held')).toEqual(['old', 'new', 'ahead']);
  expect(await texts('plain')).toEqual(['alone']);
  const oldest = new Date(Date.now() - 34 * 86_400_000).toISOString().slice(0, 10);
  expect(await logsKeptSince(db)).toBe(`${oldest}T00:00:00.000Z`);

  // And what is done with such jobs from now on counts as it does for new ones.
  await archiveJob(
    db,
    { id: 'labelled', tenantId: mine, revision: 7 },
    { kind: 'archived', actor: 'ada', reason: null },
  );
  await makeRecorder(db).record({ ...anEntry('held', 6, 7), start: aStart({ owner: 'bob' }) });
  await linkRerun(db.kysely, mine, { jobId: 'plain', revision: undefined }, 'held');
  expect(await getJob(db, mine, 'plain')).toMatchObject({ reruns: ['held'], waitingReason: null });
  await run(`update jobs set ended_at = now() - interval '91 days' where id = 'odd'`);
  expect(await purgeEnded(db, { short: 7, standard: 90, long: 730 }, 10)).toBe(1);
  expect(await countJobs(db, mine)).toMatchObject({
    counts: { RUNNING: 0, COMPLETED: 2, FAILED: 0, CANCELED: 0 },
    archived: 1,
  });
  expect(await listed({ owner: long })).toEqual([]);
  expect(await listed({ archived: true })).toEqual(['labelled']);
});

/** What the version that begins with a migration wrote into the tables that came with it. */
const rowsOf: Record<string, string[]> = {
  '0001-tenants-and-keys': [
    `insert into tenants values ('${otherTenantId}', 'other')`,
    `insert into keys (id, tenant_id, name, role, hash, prefix, last_four)
      values (gen_random_uuid(), '${mine}', 'k', 'admin', sha256('k'), 'pk_a', 'abcd')`,
  ],
  '0002-catalogue': [
    `insert into functions (name, version, description, input_schema) values ('echo', '1.0.0', 'e', '{}')`,
    `insert into agents (id, display_name, pool, functions, tools, operating_system, slots, busy, software_version, status, started_at)
      values ('a1', 'a', 'gpu', '[]', '[]', 'linux', 1, 0, '1', 'idle', now())`,
  ],
  '0003-jobs': [
    `insert into idempotency_keys (tenant_id, caller, key, fingerprint, job_id) values ('${mine}', 'c', 'k', 'f', 'of-0003-jobs')`,
  ],
  '0005-files': [
    `insert into files (id, tenant_id, owner, name, media_type, size, sha256, job_id)
      values ('f1', '${mine}', 'ada', 'n', 't/t', 1, '${'a'.repeat(64)}', 'of-0003-jobs')`,
  ],
  '0006-fleet': [
    `insert into claims (tenant_id, agent_id, claim_id, job_id) values ('${mine}', 'a1', 'c', 'of-0003-jobs')`,
    `insert into drafts (id, tenant_id, job_id, attempt, name, media_type, size, sha256)
      values ('d1', '${mine}', 'of-0003-jobs', 1, 'n', 't/t', 1, '${'b'.repeat(64)}')`,
  ],
  '0009-lists-and-archive': [
    `insert into job_archivings (tenant_id, job_id, revision, kind, actor) values ('${mine}', 'of-0003-jobs', 8, 'archived', 'ada')`,
  ],
  '0011-uploads': [
    `insert into uploads (id, tenant_id, key_id, metadata, size, expires_at)
      values ('${otherTenantId}', '${mine}', gen_random_uuid(), '', 9, now())`,
    `insert into upload_parts values ('${mine}', '${otherTenantId}', 0, gen_random_uuid())`,
  ],
  '0012-runs-and-retention': [
    `insert into purged_jobs (id, tenant_id, owner, function_name, status, created_at, ended_at)
      values ('gone', '${mine}', 'ada', 'echo', 'FAILED', now(), now())`,
  ],
  '0015-stored-bytes': [`insert into stored_bytes (sha256, state) values ('${'c'.repeat(64)}', 'coming')`],
  '0019-audit': [
    `insert into audit_entries (tenant_id, actor_kind, actor, action, outcome) values ('${mine}', 'user', 'ada', 'createPool', 'done')`,
  ],
  '0016-request-counts': [`insert into request_counts values ('${mine}', 'key', 1, 1)`],
  '0018-grants': [
    `insert into grants (tenant_id, file_id, user_id, access, granted_by) select tenant_id, 'f1', id, 'viewer', 'ada' from users limit 1`,
  ],
  '0021-secrets': [`insert into secrets values ('seals', 'secret')`],
};

test('each migration is applied to a database in which every table has rows, and keeps them', async () => {
  const withJobs = Object.keys(migrations).filter((name) => name >= '0003');
  for (const name of Object.keys(migrations)) {
    await migrateTo(name);
    if (withJobs.includes(name)) await aJob(`of-${name}`, { name: `'job of ${name}'` });
    for (const text of rowsOf[name] ?? []) await run(text);
    if (name === '0004-job-events-and-logs') await anEvent('of-0003-jobs', 1, `'a1'`);
    if (name >= '0004') await aLine('of-0003-jobs', name, '1 hour');
    const { rows } = await sql<{ name: string }>`select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
        and relname not like 'kysely%'`.execute(db.kysely);
    // Nobody adds a table here without rows for the migrations to come.
    for (const table of rows) {
      const { rows: some } = await sql`select from ${sql.table(table.name)} limit 1`.execute(db.kysely);
      expect([name, table.name, some.length]).toEqual([name, table.name, 1]);
    }
  }
  expect(await migrate(db)).toEqual([]);
  expect(await listed({})).toEqual(withJobs.map((name) => `of-${name}`));
  expect((await countJobs(db, mine)).counts.COMPLETED).toBe(withJobs.length);
  expect(
    (await getLogs(db, mine, 'of-0003-jobs', { limit: 100, bytes: 1_000_000 })).lines.map(({ text }) => text),
  ).toEqual(Object.keys(migrations).filter((name) => name >= '0004'));
  expect(await getEvents(db, mine, 'of-0003-jobs')).toMatchObject([{ seq: 1, type: 'claimed' }]);
  expect((await getFeed(db, mine, { written: '0', jobId: '', seq: 0 }, 10)).events).toHaveLength(1);
  expect(await getPool(db, mine, 'gpu')).toMatchObject({ agentIds: ['a1'] });
});
