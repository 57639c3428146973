import { terminalStatuses } from '@perdure/job/status';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { PurgedJob } from './records.ts';
import { milliseconds } from './times.ts';

/** Days that jobs of a class are kept once they have ended. */
export type RetentionDays = Readonly<Record<'short' | 'standard' | 'long', number>>;

/**
 * Removes jobs whose time is over, of all tenants, the oldest first and at most `limit`: the row, its history, its files' rows. What is still
 * known of them stays as a stone. A job whose file is an input of one under way waits for that. Their bytes go when no row names them, see
 * `letBytesGo`. Returns how many were removed.
 */
export async function purgeEnded(db: Database, days: RetentionDays, limit: number): Promise<number> {
  let purged = 0;
  for (const [name, kept] of Object.entries(days)) {
    if (purged >= limit) break;
    purged += await purgeClass(db, name, kept, limit - purged);
  }
  return purged;
}

const over = sql.join(terminalStatuses.map((status) => sql.lit(status)));

async function purgeClass(db: Database, name: string, days: number, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with due as (
      select id from jobs
      -- As the index has it.
      where coalesce(start ->> 'retention', 'standard') = ${name} and ended_at is not null
        and ended_at < now() - ${days}::integer * interval '1 day'
        and not exists (
          select from files join jobs as user_of on user_of.status not in (${over})
          where files.job_id = jobs.id and strpos(user_of.parameters::text, files.id) > 0
        )
      order by ended_at
      limit ${limit}
      for update skip locked
    ),
    gone as (
      delete from jobs using due where jobs.id = due.id returning jobs.*
    ),
    stones as (
      insert into purged_jobs (id, tenant_id, owner, function_name, function_version, status, created_at, ended_at)
      select id, tenant_id, owner, function_name, function_version, status, created_at, ended_at from gone
      on conflict (id) do nothing
    ),
    without as (
      delete from files using gone where files.job_id = gone.id and files.tenant_id = gone.tenant_id
    )
    select count(*)::integer as count from gone`.execute(db.kysely);
  return rows[0]?.count ?? 0;
}

/** Removes what is known of jobs that were purged so many days ago. */
export async function forgetPurged(db: Database, days: number, limit: number): Promise<void> {
  await sql`
    delete from purged_jobs where id in (
      select id from purged_jobs where purged_at < now() - ${days}::integer * interval '1 day' order by purged_at limit ${limit}
    )`.execute(db.kysely);
}

/** Removes idempotency keys that are so many hours old. */
export async function dropIdempotencyKeys(db: Database, hours: number, limit: number): Promise<void> {
  await sql`
    delete from idempotency_keys where (tenant_id, caller, key) in (
      select tenant_id, caller, key from idempotency_keys
      where created_at < now() - ${hours}::integer * interval '1 hour' order by created_at limit ${limit}
    )`.execute(db.kysely);
}

/** What is still known of a job that is no longer kept. */
export async function getPurged(db: Database, tenantId: string, id: string): Promise<PurgedJob | undefined> {
  const row = await db.kysely
    .selectFrom('purgedJobs')
    .select(['id', 'owner', 'functionName', 'functionVersion', 'status', 'createdAt', 'endedAt', 'purgedAt'])
    .where('tenantId', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && { ...row, endedAt: milliseconds(row.endedAt), purgedAt: milliseconds(row.purgedAt) };
}
