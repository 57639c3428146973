import { clip } from '@perdure/job/errors';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { heldBy, refusal } from './fence.ts';
import { jsonText } from './json-text.ts';
import { makeLogPartitions } from './log-partitions.ts';
import { notify } from './notify.ts';
import { hasSqlState, sqlStates } from './pg-errors.ts';
import type { LogLine } from './records.ts';

/** `at`: RFC 3339 with up to six digits of a second; the agent's clock. */
export type NewLogLine = Omit<LogLine, 'attempt'>;

/** Characters. A longer line is cut. */
export const maxLineLength = 32_768;

/**
 * Keeps lines of a job, in their order. Within a job their times rise strictly, so that a reader can go on from the last
 * line it saw: a line that is not later than the one before, be it of another call, is put one microsecond after it. A line
 * from the future is put to now, and one from before the job, or older than a day, to there.
 *
 * Lines do not raise the revision, as they are not part of the job; whoever listens for changes is told all the same.
 *
 * @throws PerdureError `stale-attempt`
 */
export async function appendLogs(
  db: Database,
  jobId: string,
  attempt: number,
  lines: readonly NewLogLine[],
): Promise<void> {
  if (lines.length === 0) return;
  try {
    await append(db, jobId, attempt, lines);
  } catch (error) {
    // There is no table for the day: nobody has done the housekeeping for a week.
    if (!hasSqlState(error, sqlStates.checkViolation)) throw error;
    await makeLogPartitions(db);
    await append(db, jobId, attempt, lines);
  }
}

async function append(
  db: Database,
  jobId: string,
  attempt: number,
  lines: readonly NewLogLine[],
): Promise<void> {
  const texts = jsonText(
    lines.map(({ at, stream, level, text }) => ({ at, stream, level, text: clip(text, maxLineLength) })),
  );
  // Line n comes at n µs + the greatest of (last line before this call) and (at - m µs) of the lines m up to n.
  const { rows } = await sql`
    with held as materialized (
      select id, tenant_id, last_log_at, greatest(created_at, now() - interval '1 day') as earliest
      from jobs where ${heldBy(jobId, attempt)} for no key update
    ),
    line as (
      select ordinality as n, stream, level, text,
        max(least(greatest(at, earliest), clock_timestamp()) - ordinality * interval '1 microsecond')
          over (order by ordinality) as base
      from held, jsonb_populate_recordset(null::job_logs, ${texts}::jsonb) with ordinality
    ),
    job as (
      update jobs set
        last_log_at = greatest(held.last_log_at, (select max(base) from line)) + ${lines.length} * interval '1 microsecond',
        updated_at = now()
      from held where jobs.id = held.id
      returning jobs.id, jobs.revision
    ),
    kept as (
      insert into job_logs (tenant_id, job_id, at, attempt, stream, level, text)
      select tenant_id, id, greatest(last_log_at, base) + n * interval '1 microsecond', ${attempt}, stream, level, text
      from held, line
    )
    select ${notify(sql`id`, sql`revision`)} from job`.execute(db.kysely);
  if (rows.length === 0) throw await refusal(db, jobId, attempt);
}
