import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { sql } from 'kysely';
import { waitFor } from '../../../tests/support/wait.ts';
import { freshDatabase } from '../../../tests/support/database.ts';
import { type OpenDatabase, migrate, openDatabase, pendingMigrations, ping } from './database.ts';
import { migrations } from './migrations/index.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  const fresh = await freshDatabase();
  db = openDatabase(fresh.url);
  drop = fresh.drop;
});

afterAll(async () => {
  await db.close();
  await drop();
});

test('of several who migrate at once, one does and none fails', async () => {
  const names = Object.keys(migrations);
  expect(await pendingMigrations(db)).toEqual(names);
  const applied = await Promise.all([migrate(db), migrate(db), migrate(db)]);
  expect(applied.flat()).toEqual(names);
  expect(await pendingMigrations(db)).toEqual([]);
});

test('a migration that arrives after a later one is applied all the same', async () => {
  await migrate(db);
  await sql`delete from kysely_migration where name = '0007-event-streams'`.execute(db.kysely);
  await sql`alter table job_events drop revision, drop written`.execute(db.kysely);
  expect(await migrate(db)).toEqual(['0007-event-streams']);
});

test('the default tenant is there, and every table has a tenant; bytes are stored once for all of them, and secrets too', async () => {
  await migrate(db);
  expect(await db.kysely.selectFrom('tenants').select(['tenantId', 'name']).execute()).toEqual([
    { tenantId: defaultTenantId, name: 'default' },
  ]);
  const { rows } = await sql<{ tableName: string }>`
    select table_name from information_schema.tables where table_schema = 'public' and table_name not like 'kysely%'
    except select table_name from information_schema.columns where column_name = 'tenant_id' order by 1`.execute(
    db.kysely,
  );
  expect(rows).toEqual([{ tableName: 'secrets' }, { tableName: 'stored_bytes' }]);
});

test('a connection that the server ends does not end the process, be it idle or in a transaction', async () => {
  const killOthers = sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;
  await Promise.all([ping(db), ping(db), ping(db)]);
  const transaction = db.kysely.transaction().execute(async (inside) => {
    await sql`select 1`.execute(inside);
    await killOthers.execute(db.kysely);
    await waitFor(
      () =>
        sql`select 1`.execute(inside).then(
          () => false,
          () => true,
        ),
      { what: 'the loss to show' },
    );
  });
  await expect(transaction).rejects.toThrow();
  await ping(db);
  expect(db.pool.totalCount).toBe(db.pool.idleCount);
});

test('a database that is away shows in the query', async () => {
  const away = openDatabase('postgresql://nobody@127.0.0.1:1/nothing');
  await expect(ping(away)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await away.close();
});
