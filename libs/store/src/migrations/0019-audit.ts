import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Who did what, when, and what became of it. Who acts for a tenant can add entries and read them, nothing else. */
export const audit: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of [...table, ...access, ...operators]) await sql.raw(statement).execute(db);
  },
};

const table = [
  `create table audit_entries (
    tenant_id uuid not null,
    at timestamptz not null default now(),
    id uuid not null default gen_random_uuid(),
    actor_kind text not null,
    actor text not null,
    key_id uuid,
    action text collate "C" not null,
    target_kind text,
    target text collate "C",
    outcome text not null check (outcome in ('done', 'asked', 'refused', 'failed')),
    code text,
    reason text,
    request_id text,
    address text,
    primary key (tenant_id, at, id)
  )`,
  `create index audit_entries_by_actor on audit_entries (tenant_id, actor, at, id)`,
  `create index audit_entries_by_action on audit_entries (tenant_id, action, at, id)`,
  `create index audit_entries_by_target on audit_entries (tenant_id, target, at, id)`,
  `create index audit_entries_by_outcome on audit_entries (tenant_id, outcome, at, id) where outcome in ('refused', 'failed')`,
  // For those whose time is over: entries come in the order of their times, and so lie on disk.
  `create index audit_entries_by_time on audit_entries using brin (at) with (autosummarize = on)`,
];

const access = [
  `alter table audit_entries enable row level security`,
  `create policy of_one_tenant on audit_entries to perdure_tenant
    using (tenant_id = (select nullif(current_setting('perdure.tenant', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('perdure.tenant', true), '')::uuid))`,
  `grant select, insert on audit_entries to perdure_tenant`,
];

/** What operators do in Temporal comes with the event that tells of it, in whatever transaction writes that. */
const operators = [
  `create function audit_operator() returns trigger language plpgsql as $$
  begin
    insert into audit_entries (tenant_id, actor_kind, actor, action, target_kind, target, outcome, reason)
    values (new.tenant_id, 'temporal', new.actor,
      case new.type when 'reset' then 'resetWorkflow' when 'interrupted' then 'interruptActivity' else 'terminateWorkflow' end,
      'job', new.job_id, 'done', new.message);
    return null;
  end $$`,
  `create trigger audit_operator after insert on job_events for each row
    when (new.type in ('reset', 'interrupted') or new.code = 'terminated') execute function audit_operator()`,
];
