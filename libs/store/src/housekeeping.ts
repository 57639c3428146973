import { terminalStatuses } from '@perdure/job/status';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { toJobRecord } from './job-rows.ts';
import type { JobRecord } from './records.ts';

/*
 * What the housekeeping looks for, in all tenants. The conditions are written as those of the partial indexes are: as
 * literals, or PostgreSQL would not see that they match.
 */

const underWay = sql<boolean>`status not in (${sql.join(terminalStatuses.map((status) => sql.lit(status)))})`;

/** Jobs that were accepted and not started since; oldest first. */
export async function createdWithoutWorkflow(
  db: Database,
  olderThanMs: number,
  limit: number,
): Promise<JobRecord[]> {
  const rows = await db.kysely
    .selectFrom('jobs')
    .selectAll()
    .where(sql<boolean>`status = 'CREATED' and workflow_started_at is null`)
    .where(sql<boolean>`created_at < now() - ${olderThanMs} * interval '1 millisecond'`)
    .orderBy('createdAt')
    .limit(limit)
    .execute();
  return rows.map(toJobRecord);
}

/** Ids of started jobs under way of which nothing was heard for so long, in order, from the one after `after` on. */
export async function quietJobs(
  db: Database,
  quietForMs: number,
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await db.kysely
    .selectFrom('jobs')
    .select('id')
    .where(underWay)
    // Temporal does not know those that are yet to be started: they are not lost.
    .where(sql<boolean>`not (status = 'CREATED' and workflow_started_at is null)`)
    .where(sql<boolean>`updated_at < now() - ${quietForMs} * interval '1 millisecond'`)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** Those of the jobs that are under way. */
export async function jobsUnderWay(db: Database, ids: readonly string[]): Promise<JobRecord[]> {
  const rows = await db.kysely
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', sql<string>`any(${ids}::text[])`)
    .where(underWay)
    .execute();
  return rows.map(toJobRecord);
}
