import { type Status, statuses } from '@perdure/job/status';
import { type RawBuilder, sql } from 'kysely';

/** Everybody who waits for a job listens here. A notification is delivered when, and only if, its transaction commits. */
export const channel = 'perdure_jobs';

/** In a statement: tells that the job has this revision now. */
export function notify(jobId: RawBuilder<string>, revision: RawBuilder<number>): RawBuilder<string> {
  return sql`pg_notify(${sql.lit(channel)}, ${jobId} || ' ' || ${revision})`;
}

/** In a statement on rows of `jobs`: tells that something was added to the history. */
export const notifyEvent = sql`pg_notify(${sql.lit(channel)}, concat_ws(' ', id, revision, status, tenant_id))`;

/**
 * What became of a job. With an event come its status, so that who looks for PENDING jobs need not ask for each, and its
 * tenant, for who follows all jobs of one. `access`: nothing became of it, but somebody may see it no longer.
 */
export type Change = { jobId: string; revision: number | 'access'; status?: Status; tenantId?: string };

/** Reads what `notify`, `notifyEvent` and the record wrote. */
export function parseNotification(payload: string | undefined): Change | undefined {
  const [jobId, revision, status, tenantId] = (payload ?? '').split(' ');
  if (jobId === undefined) return undefined;
  if (revision === 'access') return { jobId, revision };
  if (!Number.isInteger(Number(revision))) return undefined;
  const known = statuses.find((one) => one === status);
  return {
    jobId,
    revision: Number(revision),
    ...(known && { status: known }),
    ...(tenantId && { tenantId }),
  };
}
