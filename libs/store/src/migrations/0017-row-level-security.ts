import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What the API asks for one tenant it asks as `perdure_tenant`, a role that owns nothing: to it, rows of other tenants are not there,
 * whatever a query says. The owner of the tables (workers, housekeeping) sees all.
 */
export const rowLevelSecurity: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

/** Empty where it was never set: then nothing is to be seen. In a sub-select it is found out once for each query. */
const mine = `tenant_id = (select nullif(current_setting('perdure.tenant', true), '')::uuid)`;
const everybodys = `tenant_id is null`;

const all = 'select, insert, update, delete';

const tables: readonly [table: string, granted: string, sees?: string][] = [
  // Whoever sees to it that an admin is left locks the tenant.
  ['tenants', 'select, update'],
  ['users', all],
  ['keys', all],
  ['jobs', 'select, insert, update'],
  ['job_events', 'select, insert'],
  ['job_archivings', 'select, insert'],
  ['job_logs', 'select, insert'],
  ['job_tallies', 'select'],
  ['job_facets', 'select'],
  ['purged_jobs', 'select'],
  ['idempotency_keys', all],
  ['claims', all],
  ['drafts', all],
  ['files', 'select, insert'],
  ['uploads', all],
  ['upload_parts', all],
  ['agents', all, `${mine} or ${everybodys}`],
  ['functions', all, `${mine} or ${everybodys}`],
  ['pools', all, `${mine} or ${everybodys}`],
  ['pool_members', all, `${mine} or ${everybodys}`],
];

const statements = [
  // A role belongs to the whole server: another database of Perdure may have made it, even at this moment.
  `do $$ begin
    if not exists (select from pg_roles where rolname = 'perdure_tenant') then
      create role perdure_tenant nologin;
    end if;
  exception
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then
      raise exception 'this user may not make roles: as one who may, run "create role perdure_tenant nologin; grant perdure_tenant to %"', current_user;
  end $$`,
  `do $$ begin
    if not pg_has_role(current_user, 'perdure_tenant', 'member') then grant perdure_tenant to current_user; end if;
  end $$`,
  ...tables.flatMap(([table, granted, sees = mine]) => [
    `alter table ${table} enable row level security`,
    `create policy of_one_tenant on ${table} to perdure_tenant using (${sees}) with check (${mine})`,
    `grant ${granted} on ${table} to perdure_tenant`,
  ]),
  // Bytes are stored once for all tenants, and are known by their digest alone.
  `grant select, insert, update on stored_bytes to perdure_tenant`,
  // An id is used once, whoever's job had it.
  `create function was_purged(job_id text) returns boolean language sql stable security definer set search_path from current as $$
    select exists (select from purged_jobs where id = job_id)
  $$`,
  // Not by a policy: a search for text may then not use its index, as its operator is not known to keep what it sees to itself.
  `create view tenant_job_names as select * from job_names where ${mine}`,
  `grant select on tenant_job_names to perdure_tenant`,
  // What looks after the lists and the bytes does so for whoever changes a row.
  ...['list_new_job()', 'list_changed_job()', 'unlist_job()', 'share_stored_bytes()'].flatMap((name) => [
    `alter function ${name} security definer`,
    `alter function ${name} set search_path from current`,
  ]),
];
