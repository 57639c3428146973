import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The newest reruns of a job, oldest first. The way back stands in the `start` of each. */
export const reruns: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table jobs add reruns text[] not null default '{}'`.execute(db);
  },
};
