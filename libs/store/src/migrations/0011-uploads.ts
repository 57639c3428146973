import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Uploads in several requests (tus). Their bytes are in storage, as parts that nothing else names. */
export const uploads: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table uploads (
        id uuid primary key,
        tenant_id uuid not null,
        key_id uuid not null,
        metadata text not null,
        size bigint not null check (size >= 0),
        received bigint not null default 0,
        file_id text collate "C",
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        -- An upload is whole in the moment in which its file comes to be; one of nothing is whole from the start.
        check (received <= size and (size = 0 or (received = size) = (file_id is not null)))
      )`.execute(db);
    await sql`create index uploads_by_expiry on uploads (expires_at)`.execute(db);
    await sql`
      create table upload_parts (
        tenant_id uuid not null,
        upload_id uuid not null references uploads on delete cascade,
        at bigint not null,
        id uuid not null,
        primary key (upload_id, at)
      )`.execute(db);
  },
};
