import { CamelCasePlugin, Kysely, PostgresDialect, type PostgresPool, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import { migrations } from './migrations/index.ts';
import type { Schema } from './schema.ts';
import { microseconds } from './times.ts';

export type { Schema } from './schema.ts';
export { inTransaction } from './transactions.ts';

/** What a query is asked of. */
export type Database = { kysely: Kysely<Schema> };

/** A pool of connections as the user of the address, who sees all tenants where the tables are its own. */
export type OpenDatabase = Database & { pool: pg.Pool; close(): Promise<void> };

/** A pool of connections of which each sees one tenant at a time. */
export type TenantDatabases = { of(tenantId: string): Database; close(): Promise<void> };

type Options = { poolSize?: number; applicationName?: string };

/** The role of row-level security. It owns nothing; the user of the address must be a member. */
export const tenantRole = 'perdure_tenant';

/** No query waits longer for a server that does not answer. */
const queryTimeoutMs = 30_000;
const connectTimeoutMs = 5_000;

const typeParsers = new pg.TypeOverrides();
typeParsers.setTypeParser(pg.types.builtins.TIMESTAMPTZ, microseconds);
// The only bigint is the size of a file: exact up to 2^53 bytes.
typeParsers.setTypeParser(pg.types.builtins.INT8, Number);

/** Opens no connection yet: a database that is away shows in the first query. */
export function openDatabase(url: string, options: Options = {}): OpenDatabase {
  return open(toConfig(url, options));
}

/**
 * For each tenant a door through which only its rows are to be seen and written, whatever a query asks for: row-level security, under a
 * role that owns no table. A connection is told the tenant when it is taken, if the one before was another's.
 */
export function openTenantDatabases(url: string, options: Options = {}): TenantDatabases {
  const pool = openPool(toConfig(url, options));
  const sees = new WeakMap<pg.PoolClient, string>();
  const connect = async (tenantId: string): Promise<pg.PoolClient> => {
    const client = await pool.connect();
    if (sees.get(client) === tenantId) return client;
    try {
      await client.query(
        `select set_config('role', '${tenantRole}', false), set_config('perdure.tenant', $1, false)`,
        [tenantId],
      );
    } catch (error) {
      // Whom it sees now nobody knows.
      client.release(true);
      throw error;
    }
    sees.set(client, tenantId);
    return client;
  };
  return {
    // A door costs five microseconds: none is kept.
    of: (tenantId) => ({
      kysely: kyselyOver({ options: pool.options, connect: () => connect(tenantId), end: async () => {} }),
    }),
    close: () => pool.end(),
  };
}

function toConfig(url: string, options: Options): pg.PoolConfig {
  return {
    connectionString: url,
    max: options.poolSize ?? 10,
    application_name: options.applicationName ?? 'perdure',
    query_timeout: queryTimeoutMs,
  };
}

function open(config: pg.PoolConfig): OpenDatabase {
  const pool = openPool(config);
  const kysely = kyselyOver(pool);
  return { kysely, pool, close: () => kysely.destroy() };
}

function openPool(config: pg.PoolConfig): pg.Pool {
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
  return pool;
}

function kyselyOver(pool: PostgresPool): Kysely<Schema> {
  return new Kysely<Schema>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
}

/**
 * Brings the tables up to date and returns the names of the migrations that it applied. Several callers at once are safe:
 * one migrates under an advisory lock, the others wait for it.
 */
export async function migrate(db: OpenDatabase): Promise<string[]> {
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
