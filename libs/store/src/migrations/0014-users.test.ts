import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId, firstAdminId } from '@perdure/job/ids';
import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { randomBytes, randomUUID } from 'node:crypto';
import { freshDatabase } from '../../../../tests/support/database.ts';
import { type OpenDatabase, migrate, openDatabase } from '../database.ts';
import { migrations } from './index.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;

/** A database as it was before, with keys of all kinds and what belonged to their names. */
beforeAll(async () => {
  const fresh = await freshDatabase();
  db = openDatabase(fresh.url);
  drop = async () => {
    await db.close();
    await fresh.drop();
  };
  const provider = { getMigrations: () => Promise.resolve(migrations) };
  const { error } = await new Migrator({ db: db.kysely.withoutPlugins(), provider }).migrateTo(
    '0013-waiting-reasons',
  );
  expect(error).toBeUndefined();
});
afterAll(() => drop());

const run = (statement: string, ...values: unknown[]) => db.pool.query(statement, values);
const one = async <Row>(statement: string, ...values: unknown[]): Promise<Row> =>
  (await db.pool.query(statement, values)).rows[0] as Row;

async function aKey(name: string, role: string, agentId: string | null = null): Promise<string> {
  const id = randomUUID();
  await run(
    `insert into keys (id, tenant_id, agent_id, name, role, hash, prefix, last_four) values ($1, $2, $3, $4, $5, $6, 'pk_', 'x')`,
    ...[id, defaultTenantId, agentId, name, role, randomBytes(32)],
  );
  return id;
}

async function aJob(owner: string, admitted: boolean): Promise<string> {
  const id = randomUUID();
  await run(
    `insert into jobs (id, tenant_id, owner, function_name, status, attempt, agent_losses, parameters, labels, priority, limits, files,
       revision, last_seq, start)
     values ($1, $2, $3, 'echo', 'CREATED', 0, 0, '{}', '{}', 3, '{}', '[]', 1, 1, $4)`,
    ...[id, defaultTenantId, owner, { owner, admitted }],
  );
  return id;
}

test('keys get users of their names, who take over what belonged to the names', async () => {
  const admin = await aKey('admin', 'admin');
  const keys = [await aKey('ci', 'member'), await aKey('ci', 'operator'), await aKey('nightly', 'member')];
  const agent = await aKey('an agent', 'agent', 'agent-1');
  const jobs = {
    ours: await aJob('ci', true),
    direct: await aJob('ci', false),
    admins: await aJob('admin', true),
    strangers: await aJob('gone', true),
  };
  const upload = randomUUID();
  await run(
    `insert into uploads (id, tenant_id, key_id, metadata, size, expires_at) values ($1, $2, $3, '', 5, now())`,
    ...[upload, defaultTenantId, keys[0]],
  );
  for (const caller of keys)
    await run(
      `insert into idempotency_keys (tenant_id, caller, key, fingerprint, job_id) values ($1, $2, 'k', 'f', $3)`,
      ...[defaultTenantId, caller, jobs.ours],
    );
  for (const [id, job] of [
    ['mine', null],
    ['result', jobs.ours],
    ['foreign', jobs.direct],
  ])
    await run(
      `insert into files (id, tenant_id, owner, name, media_type, size, sha256, job_id) values ($1, $2, 'ci', 'a', 'text/plain', 1, $3, $4)`,
      ...[id, defaultTenantId, 'a'.repeat(64), job],
    );

  await migrate(db);

  const { rows } = await sql<{ id: string; displayName: string; role: string; kind: string }>`
    select id, display_name, role, kind from users order by display_name`.execute(db.kysely);
  const [first, ci, nightly] = rows;
  expect(first).toMatchObject({ id: firstAdminId, displayName: 'admin', role: 'admin', kind: 'service' });
  expect(ci).toMatchObject({ displayName: 'ci', role: 'operator', kind: 'service' });
  expect(nightly).toMatchObject({ displayName: 'nightly', role: 'member' });
  expect(rows).toHaveLength(3);
  const userOf = async (id: string | undefined) =>
    (await one<{ user_id: string | null }>('select user_id from keys where id = $1', id)).user_id;
  expect(await Promise.all([admin, ...keys, agent].map(userOf))).toEqual([
    firstAdminId,
    ci?.id,
    ci?.id,
    nightly?.id,
    null,
  ]);

  const ownerOf = (id: string) =>
    one(`select owner, start ->> 'owner' as started from jobs where id = $1`, id);
  expect(await ownerOf(jobs.ours)).toEqual({ owner: ci?.id, started: ci?.id });
  expect(await ownerOf(jobs.admins)).toEqual({ owner: firstAdminId, started: firstAdminId });
  expect(await ownerOf(jobs.direct)).toEqual({ owner: 'ci', started: 'ci' });
  expect(await ownerOf(jobs.strangers)).toEqual({ owner: 'gone', started: 'gone' });
  const facets = await run(`select job_id, facet from job_facets where facet like 'owner:%'`);
  expect(new Map(facets.rows.map(({ job_id, facet }) => [job_id, facet]))).toEqual(
    new Map([
      [jobs.ours, `owner:${ci?.id}`],
      [jobs.direct, 'owner:ci'],
      [jobs.admins, `owner:${firstAdminId}`],
      [jobs.strangers, 'owner:gone'],
    ]),
  );
  expect(facets.rows).toHaveLength(4);
  const files = await run('select id, owner from files order by id');
  expect(files.rows).toEqual([
    { id: 'foreign', owner: 'ci' },
    { id: 'mine', owner: ci?.id },
    { id: 'result', owner: ci?.id },
  ]);
  expect(await one('select owner from uploads where id = $1', upload)).toEqual({ owner: ci?.id });
  const callers = await run('select caller from idempotency_keys');
  expect(callers.rows.map(({ caller }) => caller).sort()).toEqual([ci?.id, nightly?.id].sort());
});
