import { isTerminal, type Status, statuses, terminalStatuses } from '@perdure/job/status';
import { sql } from 'kysely';
import type { Database } from './database.ts';

export type JobCounts = { counts: Record<Status, number>; archived: number; asOf: string };

/** Written out, or PostgreSQL would not see that one index has it all. */
const underWay = sql.raw(
  statuses
    .filter((status) => !isTerminal(status))
    .map((status) => `'${status}'`)
    .join(', '),
);

/**
 * How many jobs have each status, exactly, as of one moment. Those under way are counted along their index; those that have ended, which may
 * be millions, are sums that every end has changed in its own transaction.
 */
export async function countJobs(db: Database, tenantId: string): Promise<JobCounts> {
  const { rows } = await sql<{ status: Status; archived: boolean; jobs: number; asOf: string }>`
    select status, archived, jobs, now() as as_of from (
      select status, false as archived, count(*) as jobs from jobs
      where tenant_id = ${tenantId} and archived_at is null and status in (${underWay}) group by status
      union all
      select status, archived, sum(jobs)::bigint from job_tallies
      where tenant_id = ${tenantId} and status in (${sql.join(terminalStatuses)}) group by status, archived
    ) as counted
    union all select null, null, 0, now()`.execute(db.kysely);
  const counts = Object.fromEntries(statuses.map((status) => [status, 0])) as Record<Status, number>;
  for (const { status, archived, jobs } of rows) if (archived === false) counts[status] = jobs;
  return {
    counts,
    archived: rows.reduce((sum, { archived, jobs }) => (archived ? sum + jobs : sum), 0),
    asOf: rows[0]?.asOf ?? new Date().toISOString(),
  };
}
