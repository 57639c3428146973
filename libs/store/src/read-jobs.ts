import type { JobEvent } from '@perdure/job/event';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { toJobRecord } from './job-rows.ts';
import type { JobRecord } from './records.ts';
import { milliseconds } from './times.ts';
import { waitingColumns, type WaitingJob } from './waiting-reasons.ts';

export async function getJob(db: Database, tenantId: string, id: string): Promise<JobRecord | undefined> {
  const row = await jobs(db).where('tenantId', '=', tenantId).where('id', '=', id).executeTakeFirst();
  return row && toJobRecord(row);
}

/** Those of the jobs that the tenant has, in no order. */
export async function getJobs(
  db: Pick<Database, 'kysely'>,
  tenantId: string,
  ids: readonly string[],
): Promise<JobRecord[]> {
  const rows = await jobs(db)
    .where('tenantId', '=', tenantId)
    .where('id', '=', sql<string>`any(${ids}::text[])`)
    .execute();
  return rows.map(toJobRecord);
}

/** What a waiter or a conditional GET needs to know, for the price of an index look-up. */
export function getRevision(
  db: Database,
  tenantId: string,
  id: string,
): Promise<(WaitingJob & { owner: string }) | undefined> {
  return db.kysely
    .selectFrom('jobs')
    .select([...waitingColumns, 'owner'])
    .where('tenantId', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** What an event says. */
export const eventColumns = [
  'seq',
  'type',
  'at',
  'status',
  'attempt',
  'agentId',
  'actor',
  'message',
  'code',
  'data',
] as const;

/** Every event of a job, oldest first. */
export async function getEvents(db: Database, tenantId: string, jobId: string): Promise<JobEvent[]> {
  const rows = await db.kysely
    .selectFrom('jobEvents')
    .select(eventColumns)
    .where('tenantId', '=', tenantId)
    .where('jobId', '=', jobId)
    .orderBy('seq')
    .execute();
  return rows.map((row) => ({ ...row, at: milliseconds(row.at) }));
}

/** The job that an idempotency key made, and the fingerprint of the request that did. */
export function findIdempotent(
  db: Database,
  tenantId: string,
  caller: string,
  key: string,
): Promise<{ jobId: string; fingerprint: string } | undefined> {
  return db.kysely
    .selectFrom('idempotencyKeys')
    .select(['jobId', 'fingerprint'])
    .where('tenantId', '=', tenantId)
    .where('caller', '=', caller)
    .where('key', '=', key)
    .executeTakeFirst();
}

function jobs(db: Pick<Database, 'kysely'>) {
  return db.kysely.selectFrom('jobs').selectAll();
}
