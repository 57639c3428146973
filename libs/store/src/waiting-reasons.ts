import type { JsonObject } from '@perdure/job/json';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { jsonText } from './json-text.ts';
import { notify } from './notify.ts';
import type { JobRecord } from './records.ts';

/** Columns of what tells why a job waits. */
export const waitingColumns = [
  'id',
  'tenantId',
  'status',
  'functionName',
  'functionVersion',
  'tool',
  'operatingSystem',
  'pool',
  'assignedAgentId',
  'queuedAt',
  'createdAt',
  'revision',
  'waitingReason',
] as const;

/** What tells why a job waits. */
export type WaitingJob = Pick<JobRecord, (typeof waitingColumns)[number]>;

/** Those of the jobs that are PENDING, whoever's they are. */
export function pendingAmong(db: Database, jobIds: readonly string[]): Promise<WaitingJob[]> {
  return db.kysely
    .selectFrom('jobs')
    .select(waitingColumns)
    .where(sql<boolean>`id = any(${jobIds}::text[])`)
    .where('status', '=', 'PENDING')
    .execute();
}

/**
 * Keeps that a PENDING job waits for another reason than before, as a change that everybody sees. Undefined when the job has
 * changed since this revision of it was read. The time of the last change stays: it tells how long a workflow has been silent.
 */
export async function noteWaitingReason(
  db: Database,
  { id, tenantId, revision }: WaitingJob,
  reason: JsonObject | null,
): Promise<number | undefined> {
  const { rows } = await sql<{ revision: number }>`
    with job as (
      update jobs set waiting_reason = ${jsonText(reason)}::jsonb, revision = revision + 1
      where id = ${id} and tenant_id = ${tenantId} and revision = ${revision} and status = 'PENDING'
      returning id, revision
    )
    select revision, ${notify(sql`id`, sql`revision`)} from job`.execute(db.kysely);
  return rows[0]?.revision;
}
