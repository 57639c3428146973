import type { JobEvent } from '@perdure/job/event';
import type { Status } from '@perdure/job/status';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { toJobRecord } from './job-rows.ts';
import type { JobRecord } from './records.ts';
import { milliseconds } from './times.ts';

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
): Promise<{ revision: number; status: Status; createdAt: string } | undefined> {
  return db.kysely
    .selectFrom('jobs')
    .select(['revision', 'status', 'createdAt'])
    .where('tenantId', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
}

export type JobFilter = {
  statuses?: readonly Status[];
  functionName?: string;
  /** The last job of the page before. */
  after?: { createdAt: string; id: string };
  limit: number;
};

/**
 * Newest first. Each wanted status is read along its own index, newest first and at most `limit` rows, and the heads are
 * merged: a page costs the same among a thousand jobs and among a million.
 */
export async function listJobs(db: Database, tenantId: string, filter: JobFilter): Promise<JobRecord[]> {
  const { statuses, limit } = filter;
  const [first, ...others] = statuses === undefined ? [undefined] : new Set(statuses);
  if (first === undefined && statuses !== undefined) return [];
  const heads = others.reduce(
    (all, status) => all.unionAll(head(db, tenantId, filter, status)),
    head(db, tenantId, filter, first),
  );
  const rows = await db.kysely
    .selectFrom(heads.as('heads'))
    .innerJoin('jobs', 'jobs.id', 'heads.id')
    .selectAll('jobs')
    .orderBy('heads.createdAt', 'desc')
    .orderBy('heads.id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toJobRecord);
}

function head(db: Database, tenantId: string, { functionName, after, limit }: JobFilter, status?: Status) {
  let query = db.kysely.selectFrom('jobs').select(['id', 'createdAt']).where('tenantId', '=', tenantId);
  if (status !== undefined) query = query.where('status', '=', status);
  if (functionName !== undefined) query = query.where('functionName', '=', functionName);
  if (after !== undefined) {
    query = query.where(sql<boolean>`(created_at, id) < (${after.createdAt}::timestamptz, ${after.id})`);
  }
  const sorted = query.orderBy('createdAt', 'desc').orderBy('id', 'desc').limit(limit);
  // A member of a union cannot have a limit of its own; a table can.
  return db.kysely.selectFrom(sorted.as('head')).selectAll();
}

/** Every event of a job, oldest first. */
export async function getEvents(db: Database, tenantId: string, jobId: string): Promise<JobEvent[]> {
  const rows = await db.kysely
    .selectFrom('jobEvents')
    .select(['seq', 'type', 'at', 'status', 'attempt', 'agentId', 'actor', 'message', 'code', 'data'])
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
