import { type RawBuilder, sql } from 'kysely';

/** Everybody who waits for a job listens here. A notification is delivered when, and only if, its transaction commits. */
export const channel = 'perdure_jobs';

/** In a statement: tells that the job has this revision now. */
export function notify(jobId: RawBuilder<string>, revision: RawBuilder<number>): RawBuilder<string> {
  return sql`pg_notify(${sql.lit(channel)}, ${jobId} || ' ' || ${revision})`;
}

/** Reads what `notify` wrote. */
export function parseNotification(
  payload: string | undefined,
): { jobId: string; revision: number } | undefined {
  const [jobId, revision] = (payload ?? '').split(' ');
  return jobId !== undefined && Number.isInteger(Number(revision))
    ? { jobId, revision: Number(revision) }
    : undefined;
}
