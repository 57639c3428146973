import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What keys and tenants have asked for in the present window, over all replicas. It may be lost in a crash, so it costs no log. */
export const requestCounts: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create unlogged table request_counts (
        tenant_id uuid not null,
        subject text collate "C" not null,
        window_start bigint not null,
        requests bigint not null,
        primary key (tenant_id, subject, window_start)
      ) with (fillfactor = 50)`.execute(db);
  },
};
