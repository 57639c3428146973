import { PerdureError } from '@perdure/job/errors';
import type { JobState } from '@perdure/job/event';
import { heldStatuses, isHeld, isTerminal } from '@perdure/job/status';
import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';
import { notify } from './notify.ts';

/** In a statement on `jobs`: true of the job only while this attempt holds it. */
export function heldBy(jobId: string, attempt: number): RawBuilder<boolean> {
  return sql`jobs.id = ${jobId} and jobs.attempt = ${attempt} and jobs.status in (${sql.join(heldStatuses)})`;
}

/** Sets columns of a job that the attempt holds, as a change that everybody sees. */
export async function fencedUpdate(
  db: Database,
  jobId: string,
  attempt: number,
  set: RawBuilder<unknown>,
): Promise<JobState['stop']> {
  const { rows } = await sql<{ stop: JobState['stop'] }>`
    with job as (
      update jobs set ${set}, revision = revision + 1, updated_at = now()
      where ${heldBy(jobId, attempt)}
      returning id, revision, stop
    )
    select stop, ${notify(sql`id`, sql`revision`)} from job`.execute(db.kysely);
  const [row] = rows;
  if (row === undefined) throw await refusal(db, jobId, attempt);
  return row.stop;
}

/** True when the agent has lost the job, or it has ended. A record that has not heard of the attempt yet says nothing. */
export async function attemptIsOver(
  db: Database,
  { jobId, attempt, agentId }: { jobId: string; attempt: number; agentId: string },
): Promise<boolean> {
  const now = await db.kysely
    .selectFrom('jobs')
    .select(['status', 'attempt', 'agentId'])
    .where('id', '=', jobId)
    .executeTakeFirst();
  if (now === undefined || now.attempt < attempt) return now !== undefined && isTerminal(now.status);
  return now.attempt > attempt || now.agentId !== agentId || !isHeld(now.status);
}

/** Why the attempt does not hold the job. */
export async function refusal(db: Database, jobId: string, attempt: number): Promise<PerdureError> {
  const now = await db.kysely
    .selectFrom('jobs')
    .select(['status', 'attempt'])
    .where('id', '=', jobId)
    .executeTakeFirst();
  return new PerdureError(
    'stale-attempt',
    `Attempt ${attempt} does not hold job ${jobId}: ${because(now, attempt)}`,
  );
}

function because(now: { status: JobState['status']; attempt: number } | undefined, attempt: number): string {
  if (now === undefined) return 'the record does not know the job';
  if (now.attempt > attempt) return `attempt ${now.attempt} has taken over`;
  if (now.attempt < attempt) return `the record knows attempt ${now.attempt} as the last`;
  return isHeld(now.status) ? 'it does again by now' : `the job is ${now.status}`;
}
