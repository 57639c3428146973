import { terminalStatuses } from '@perdure/job/status';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { toJobRecord } from './job-rows.ts';
import type { JobRecord } from './records.ts';

/*
 * What the housekeeping looks for, in all tenants. The conditions are written as those of the partial indexes are: as
 * literals, or PostgreSQL would not see that they match.
 */

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

/** Started jobs under way of which nothing was heard for so long. In no order: where there are more than `limit`, every round sees others. */
export async function quietJobs(db: Database, quietForMs: number, limit: number): Promise<JobRecord[]> {
  const rows = await db.kysely
    .selectFrom('jobs')
    .selectAll()
    .where(sql<boolean>`status not in (${sql.join(terminalStatuses.map((status) => sql.lit(status)))})`)
    // Temporal does not know those that are yet to be started: they are not lost.
    .where(sql<boolean>`not (status = 'CREATED' and workflow_started_at is null)`)
    .where(sql<boolean>`updated_at < now() - ${quietForMs} * interval '1 millisecond'`)
    .orderBy(sql`random()`)
    .limit(limit)
    .execute();
  return rows.map(toJobRecord);
}
