import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What all replicas of an installation share, and nobody else may know. Only the owner of the tables reads it. */
export const secrets: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`create table secrets (name text primary key, secret bytea not null)`.execute(db);
  },
};
