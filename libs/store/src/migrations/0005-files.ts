import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Files are rows; their bytes are in storage, under their SHA-256. */
export const files: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table files (
        id text collate "C" primary key,
        tenant_id uuid not null,
        owner text not null,
        name text not null,
        media_type text not null,
        size bigint not null,
        sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
        job_id text collate "C",
        created_at timestamptz not null default now()
      )`.execute(db);
    await sql`create index files_by_job on files (job_id) where job_id is not null`.execute(db);
    // Whether bytes may be removed is a question over all tenants.
    await sql`create index files_by_sha256 on files (sha256)`.execute(db);
  },
};
