import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Why a job waits, as it was last seen: so that a change of it can raise the revision. */
export const waitingReasons: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table jobs add waiting_reason jsonb`.execute(db);
  },
};
