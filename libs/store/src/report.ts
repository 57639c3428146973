import type { JobError } from '@perdure/job/errors';
import type { JobState } from '@perdure/job/event';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { fencedUpdate } from './fence.ts';
import { jsonText } from './json-text.ts';
import type { Progress } from './records.ts';

export { announceAgent, beat, type Orders } from './agents.ts';
export { dropClaim, grantClaim, openClaim } from './claims.ts';
export { keepDraft } from './drafts.ts';
export { attemptIsOver } from './fence.ts';
export { announceFunctions } from './functions.ts';
export { announceBytes } from './stored-bytes.ts';
export { noteWaitingReason } from './waiting-reasons.ts';
export { appendLogs, maxLineLength, type NewLogLine } from './logs.ts';
export type { AgentStatus, Announcement, Draft, FunctionRecord, LogLine, Progress } from './records.ts';

/*
 * What an agent tells while it holds a job. Each report names the attempt it belongs to, and is refused with PerdureError
 * `stale-attempt` unless this attempt holds the job; the database decides this in the statement that writes.
 */

export async function reportProgress(
  db: Database,
  jobId: string,
  attempt: number,
  progress: Progress,
): Promise<void> {
  await fencedUpdate(db, jobId, attempt, sql`progress = ${jsonText(progress)}::jsonb`);
}

export type TryFailure = {
  error: JobError;
  /** Null when the function will not be tried again. */
  nextAttemptAt: string | null;
  /** Counts the tries of the function within the attempt: 1, 2, 3 … */
  tryNumber: number;
};

/** A try of the function failed. Whether the job fails is the workflow's decision. */
export async function reportFailure(
  db: Database,
  jobId: string,
  attempt: number,
  { error, nextAttemptAt, tryNumber }: TryFailure,
): Promise<void> {
  await fencedUpdate(
    db,
    jobId,
    attempt,
    sql`last_failure = ${jsonText(error)}::jsonb, next_attempt_at = ${nextAttemptAt}::timestamptz, try_number = ${tryNumber}`,
  );
}

/** The agent was told to stop. Keeps when it first learned of a cancel; returns how it should stop, if the record knows. */
export async function reportStopDelivered(
  db: Database,
  jobId: string,
  attempt: number,
): Promise<JobState['stop']> {
  const delivered = sql`cancel_delivered_at = case when cancel_requested_at is not null then coalesce(cancel_delivered_at, now()) end`;
  return await fencedUpdate(db, jobId, attempt, delivered);
}
