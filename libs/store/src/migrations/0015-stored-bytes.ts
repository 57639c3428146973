import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What is known of bytes in storage beside the rows that name them: see docs/decisions/0029-bytes-go-when-no-row-names-them.md. A digest
 * without a row here is named, and was for a while, or has never been announced: it is let be.
 */
export const storedBytes: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements = [
  `create table stored_bytes (
    sha256 text collate "C" primary key,
    state text not null check (state in ('coming', 'kept', 'going', 'gone')),
    -- Raised each time that they come back.
    life integer not null default 1,
    since timestamptz not null default now()
  )`,
  `create index stored_bytes_by_age on stored_bytes (state, since)`,
  `create index drafts_by_sha256 on drafts (sha256)`,
  `create index jobs_by_parameters on jobs (parameters_sha256) where parameters_sha256 is not null`,
  // Whoever names bytes, or names them no longer, shares their row until it commits: meanwhile nobody decides about them.
  `create function share_stored_bytes() returns trigger language plpgsql as $$
    declare
      digest text;
      found_as text;
    begin
      execute format('select ($1).%I', tg_argv[0]) into digest using case when tg_op = 'INSERT' then new else old end;
      loop
        select state into found_as from stored_bytes where sha256 = digest for share;
        exit when found;
        insert into stored_bytes (sha256, state) values (digest, 'kept') on conflict do nothing;
      end loop;
      if tg_op = 'INSERT' and found_as <> 'kept' then
        raise exception 'the bytes % are no longer stored', digest using errcode = 'io_error';
      end if;
      return new;
    end
  $$`,
  ...[
    ['files', 'sha256'],
    ['drafts', 'sha256'],
    ['jobs', 'parameters_sha256'],
  ].flatMap(([table, column]) => [
    `create trigger names_bytes before insert on ${table} for each row
      when (new.${column} is not null) execute function share_stored_bytes('${column}')`,
    `create trigger named_bytes after delete on ${table} for each row
      when (old.${column} is not null) execute function share_stored_bytes('${column}')`,
  ]),
  // A draft gives way to another of its name.
  `create trigger named_other_bytes after update of sha256 on drafts for each row
    when (old.sha256 <> new.sha256) execute function share_stored_bytes('sha256')`,
];
