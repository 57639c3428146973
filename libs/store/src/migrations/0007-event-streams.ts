import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What makes streams of events resumable. `revision`: the one that the event gave its job; each event has its own. `written`: the
 * transaction that wrote it, by which the events of a tenant are read in an order that no late commit changes.
 */
export const eventStreams: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      alter table job_events
        add revision integer,
        add written xid8 not null default pg_current_xact_id()`.execute(db);
    await sql`update jobs set revision = last_seq where revision < last_seq`.execute(db);
    await sql`update job_events set revision = seq`.execute(db);
    await sql`alter table job_events alter revision set not null`.execute(db);
    await sql`create index job_events_by_writing on job_events (tenant_id, written, job_id, seq)`.execute(db);
  },
};
