import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import { migrations } from './migrations/index.ts';
import type { Schema } from './schema.ts';
import { microseconds } from './times.ts';

export type { Schema } from './schema.ts';

export type Database = { kysely: Kysely<Schema>; pool: pg.Pool; close(): Promise<void> };

/** No query waits longer for a server that does not answer. */
const queryTimeoutMs = 30_000;
const connectTimeoutMs = 5_000;

const typeParsers = new pg.TypeOverrides();
typeParsers.setTypeParser(pg.types.builtins.TIMESTAMPTZ, microseconds);
// The only bigint is the size of a file: exact up to 2^53 bytes.
typeParsers.setTypeParser(pg.types.builtins.INT8, Number);

/** Opens no connection yet: a database that is away shows in the first query. */
export function openDatabase(
  url: string,
  options: { poolSize?: number; applicationName?: string } = {},
): Database {
  return open({
    connectionString: url,
    max: options.poolSize ?? 10,
    application_name: options.applicationName ?? 'perdure',
    query_timeout: queryTimeoutMs,
  });
}

function open(config: pg.PoolConfig): Database {
  const pool = new pg.Pool({
    ...config,
    types: typeParsers,
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
  });
  // Without these listeners, a connection that the server closes would end the process, be it idle or between two
  // statements of a transaction. The pool drops it, and the next statement on it fails.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const kysely = new Kysely<Schema>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
  return { kysely, pool, close: () => kysely.destroy() };
}

/**
 * Brings the tables up to date and returns the names of the migrations that it applied. Several callers at once are safe:
 * one migrates under an advisory lock, the others wait for it.
 */
export async function migrate(db: Database): Promise<string[]> {
  // A migration may take its time, and so may waiting for another's: a connection without the query timeout.
  const patient = open({ ...db.pool.options, max: 2, query_timeout: undefined });
  try {
    const { error, results = [] } = await migratorOf(patient).migrateToLatest();
    if (error !== undefined)
      throw error instanceof Error ? error : new Error('The migration failed', { cause: error });
    return results.map(({ migrationName }) => migrationName);
  } finally {
    await patient.close();
  }
}

/** The names of the migrations that `migrate` would apply. */
export async function pendingMigrations(db: Database): Promise<string[]> {
  const all = await migratorOf(db).getMigrations();
  return all.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name);
}

/** Resolves when the database answers. */
export async function ping(db: Database): Promise<void> {
  await sql`select 1`.execute(db.kysely);
}

function migratorOf(db: Database): Migrator {
  return new Migrator({
    db: db.kysely.withoutPlugins(),
    provider: { getMigrations: () => Promise.resolve(migrations) },
    // Those that were written side by side arrive in any order.
    allowUnorderedMigrations: true,
  });
}
