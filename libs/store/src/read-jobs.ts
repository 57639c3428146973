import type { JobEvent } from '@perdure/job/event';
import { type Status, statuses } from '@perdure/job/status';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { toJobRecord } from './job-rows.ts';
import type { JobRecord, LogLine } from './records.ts';
import { milliseconds } from './times.ts';

export async function getJob(db: Database, tenantId: string, id: string): Promise<JobRecord | undefined> {
  const row = await jobs(db).where('tenantId', '=', tenantId).where('id', '=', id).executeTakeFirst();
  return row && toJobRecord(row);
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
  const { after, functionName, limit } = filter;
  const wanted = filter.statuses ?? (functionName === undefined ? undefined : statuses);
  const page = (status?: Status) =>
    jobs(db)
      .where('tenantId', '=', tenantId)
      .$if(status !== undefined, (query) => query.where('status', '=', status ?? 'CREATED'))
      .$if(functionName !== undefined, (query) => query.where('functionName', '=', functionName ?? ''))
      .$if(after !== undefined, (query) =>
        query.where(sql<boolean>`(created_at, id) < (${after?.createdAt}::timestamptz, ${after?.id})`),
      )
      .orderBy('createdAt', 'desc')
      .orderBy('id', 'desc')
      .limit(limit);
  const [first, ...others] = wanted === undefined ? [page()] : [...new Set(wanted)].map(page);
  if (first === undefined) return [];
  const heads = others.reduce(
    (all, next) => all.unionAll(db.kysely.selectFrom(next.as('head')).selectAll()),
    db.kysely.selectFrom(first.as('head')).selectAll(),
  );
  const rows = await db.kysely
    .selectFrom(heads.as('heads'))
    .selectAll()
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toJobRecord);
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

/** Oldest first; `since` is exclusive: the `at` of the last line that was read. */
export function getLogs(
  db: Database,
  tenantId: string,
  jobId: string,
  { since, limit }: { since?: string; limit: number },
): Promise<LogLine[]> {
  return db.kysely
    .selectFrom('jobLogs')
    .select(['at', 'attempt', 'stream', 'level', 'text'])
    .where('tenantId', '=', tenantId)
    .where('jobId', '=', jobId)
    .$if(since !== undefined, (query) => query.where(sql<boolean>`at > ${since}::timestamptz`))
    .orderBy('at')
    .limit(limit)
    .execute();
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

function jobs(db: Database) {
  return db.kysely.selectFrom('jobs').selectAll();
}
