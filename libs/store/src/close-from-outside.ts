import type { ErrorCode, JobError } from '@perdure/job/errors';
import { terminalStatuses } from '@perdure/job/status';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { jsonText, storableText } from './json-text.ts';
import { notifyEvent } from './notify.ts';

/** How a job ended whose workflow can no longer tell. */
export type OutsideEnd = {
  status: 'FAILED' | 'CANCELED';
  error: JobError;
  event: { type: 'failed' | 'canceled'; actor: string; message: string; code: ErrorCode };
};

/**
 * Writes the end of a job whose workflow was terminated or is gone, as the event after the last.
 * False when the workflow has recorded something since `expectedLastSeq` was read, or the job has ended: nothing was written.
 */
export async function closeFromOutside(
  db: Database,
  jobId: string,
  { status, error, event }: OutsideEnd,
  expectedLastSeq: number,
): Promise<boolean> {
  const { rows } = await sql`
    with job as (
      update jobs set status = ${status}, error = ${jsonText(error)}, last_seq = last_seq + 1, next_attempt_at = null,
        ended_at = now(), updated_at = now(), revision = revision + 1
      where id = ${jobId} and last_seq = ${expectedLastSeq} and status not in (${sql.join(terminalStatuses)})
      returning *
    ), event as (
      insert into job_events (tenant_id, job_id, seq, revision, type, at, status, attempt, agent_id, actor, message, code)
      select tenant_id, id, last_seq, revision, ${event.type}, ended_at, status, attempt, agent_id, ${storableText(event.actor)},
        ${storableText(event.message)}, ${event.code}
      from job
    )
    select ${notifyEvent} from job`.execute(db.kysely);
  return rows.length === 1;
}
