import { sql } from 'kysely';
import type { Database } from './database.ts';

/** Lines are kept in a table a day, by UTC. So many days ahead have theirs. */
const daysAhead = 7;
const prefix = 'job_logs_';
/** Who reads for longer is not waited for: a connection that waits is one that others lack. */
const lockTimeout = '2s';
const today = sql`(now() at time zone 'utc')::date`;

/** Makes the tables of yesterday and the days to come, where they are missing. */
export async function makeLogPartitions(db: Database): Promise<void> {
  if ((await missingDays(db.kysely)).length === 0) return;
  await db.kysely.transaction().execute(async (transaction) => {
    await sql.raw(`set local lock_timeout = '${lockTimeout}'`).execute(transaction);
    await sql`select pg_advisory_xact_lock(hashtext(${prefix}))`.execute(transaction);
    for (const day of await missingDays(transaction)) {
      const table = sql.table(nameOf(day));
      await sql`create table ${table} (like job_logs including all)`.execute(transaction);
      // Attaching lets writers go on, as making it a partition from the first would not.
      const [from, to] = [sql.lit(`${day} 00:00+00`), sql.lit(`${dayAfter(day)} 00:00+00`)];
      await sql`alter table job_logs attach partition ${table} for values from (${from}) to (${to})`.execute(
        transaction,
      );
    }
  });
}

/**
 * Drops the tables of all days that ended so many days ago, and answers their names. Readers and writers go on meanwhile. Throws when
 * somebody who reads the log does not come to an end: the next call goes on from there.
 */
export async function dropLogPartitions(db: Database, olderThanDays: number): Promise<string[]> {
  const { rows } = await sql<{ name: string; pending: boolean }>`
    select inhrelid::regclass::text as name, inhdetachpending as pending
    from pg_inherits
    where inhparent = 'job_logs'::regclass
      and to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') < ${today} - ${olderThanDays}::integer
    order by 1`.execute(db.kysely);
  if (rows.length === 0) return [];
  await db.kysely.connection().execute(async (connection) => {
    // Not within a transaction: it could not be detached while others go on.
    await sql.raw(`set lock_timeout = '${lockTimeout}'`).execute(connection);
    try {
      for (const { name, pending } of rows) {
        // One that was interrupted is finished.
        const how = sql.raw(pending ? 'finalize' : 'concurrently');
        await sql`alter table job_logs detach partition ${sql.table(name)} ${how}`.execute(connection);
        await sql`drop table ${sql.table(name)}`.execute(connection);
      }
    } finally {
      await sql`reset lock_timeout`.execute(connection);
    }
  });
  return rows.map(({ name }) => name);
}

/** Lines from before this moment (RFC 3339) are no longer kept. */
export async function logsKeptSince(db: Database): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select min(inhrelid::regclass::text) as name from pg_inherits
    where inhparent = 'job_logs'::regclass and not inhdetachpending`.execute(db.kysely);
  const [, year, month, day] = /(\d{4})(\d\d)(\d\d)$/.exec(rows[0]?.name ?? '') ?? [];
  if (year === undefined) throw new Error('the log has no partitions');
  return `${year}-${month}-${day}T00:00:00.000Z`;
}

async function missingDays(db: Database['kysely']): Promise<string[]> {
  const { rows } = await sql<{ day: string }>`
    select to_char(day, 'YYYY-MM-DD') as day
    from generate_series(${today} - 1, ${today} + ${sql.lit(daysAhead)}, interval '1 day') as day
    where not exists (
      select from pg_inherits join pg_class on pg_class.oid = inhrelid
      where inhparent = 'job_logs'::regclass and relname = ${prefix} || to_char(day, 'YYYYMMDD')
    )
    order by 1`.execute(db);
  return rows.map(({ day }) => day);
}

const nameOf = (day: string): string => `${prefix}${day.replaceAll('-', '')}`;

const dayAfter = (day: string): string => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
