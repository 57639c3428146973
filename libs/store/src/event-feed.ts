import type { JobEvent } from '@perdure/job/event';
import { type Selectable, sql } from 'kysely';
import type { Database } from './database.ts';
import { eventColumns } from './read-jobs.ts';
import type { Schema } from './schema.ts';
import { milliseconds } from './times.ts';

/** An event, and the revision that its job has since. */
export type FeedEvent = JobEvent & { jobId: string; revision: number };

/** A place among the events of a tenant. `written` is the number of a transaction, as PostgreSQL writes it. */
export type Place = { written: string; jobId: string; seq: number };

/** The events of a job by which it came from one revision (exclusive) to another (inclusive), oldest first. */
export async function getEventsBetween(
  db: Database,
  tenantId: string,
  jobId: string,
  { after, upTo, limit }: { after: number; upTo: number; limit: number },
): Promise<FeedEvent[]> {
  const rows = await db.kysely
    .selectFrom('jobEvents')
    .select(['jobId', 'revision', ...eventColumns])
    .where('tenantId', '=', tenantId)
    .where('jobId', '=', jobId)
    .where('revision', '>', after)
    .where('revision', '<=', upTo)
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...row, at: milliseconds(row.at) }));
}

export type Feed = {
  events: (FeedEvent & { place: Place })[];
  /** There are newer events, which cannot be told yet: an older transaction is still under way. */
  withheld: boolean;
};

/**
 * The events of a tenant after a place, in the order of the transactions that wrote them. Told are only those of transactions
 * older than any that is under way: so none can turn up later before a place that a reader has passed.
 */
export async function getFeed(db: Database, tenantId: string, after: Place, limit: number): Promise<Feed> {
  type Row = Selectable<Schema['jobEvents']> & { withheld: boolean };
  const { rows } = await sql<Row | { jobId: null; withheld: boolean }>`
    with horizon as materialized (select pg_snapshot_xmin(pg_current_snapshot()) as xid)
    select event.*, exists (
      select from job_events where tenant_id = ${tenantId} and written >= (select xid from horizon)
    ) as withheld
    from (select) as one left join lateral (
      select * from job_events
      where tenant_id = ${tenantId}
        and (written, job_id, seq) > (${after.written}::xid8, ${after.jobId}, ${after.seq}::integer)
        and written < (select xid from horizon)
      order by written, job_id, seq
      limit ${limit}
    ) as event on true`.execute(db.kysely);
  const events = rows.filter((row): row is Row => row.jobId !== null);
  return {
    events: events.map(({ tenantId: _tenant, withheld: _withheld, written, ...event }) => ({
      ...event,
      at: milliseconds(event.at),
      place: { written, jobId: event.jobId, seq: event.seq },
    })),
    withheld: rows[0]?.withheld ?? false,
  };
}

/** Where the events begin that are yet to come. */
export async function placeOfNow(db: Database): Promise<Place> {
  const { rows } = await sql<{ written: string }>`
    select pg_snapshot_xmin(pg_current_snapshot())::text as written`.execute(db.kysely);
  return { written: rows[0]?.written ?? '0', jobId: '', seq: 0 };
}
