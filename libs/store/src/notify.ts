import { type Status, statuses } from '@perdure/job/status';
import { type RawBuilder, sql } from 'kysely';

/** Everybody who waits for a job listens here. A notification is delivered when, and only if, its transaction commits. */
export const channel = 'perdure_jobs';

/** In a statement: tells that the job has this revision now. */
export function notify(jobId: RawBuilder<string>, revision: RawBuilder<number>): RawBuilder<string> {
  return sql`pg_notify(${sql.lit(channel)}, ${jobId} || ' ' || ${revision})`;
}

/** What became of a job. The record tells its status too, so that who looks for PENDING jobs need not ask for each. */
export type Change = { jobId: string; revision: number; status?: Status };

/** Reads what `notify`, and the record, wrote. */
export function parseNotification(payload: string | undefined): Change | undefined {
  const [jobId, revision, status] = (payload ?? '').split(' ');
  if (jobId === undefined || !Number.isInteger(Number(revision))) return undefined;
  const known = statuses.find((one) => one === status);
  return { jobId, revision: Number(revision), ...(known === undefined ? {} : { status: known }) };
}
