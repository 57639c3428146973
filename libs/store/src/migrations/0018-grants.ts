import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Who else may see and do something with a job or a file, besides its owner. Each goes with what it is about. What a user was given
 * stands among the facets of the job too, so that lists find it: see docs/decisions/0034-what-is-not-ones-own-is-not-there.md.
 */
export const grants: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

/** As in 0017. */
const mine = `tenant_id = (select nullif(current_setting('perdure.tenant', true), '')::uuid)`;

const statements = [
  `create table grants (
    tenant_id uuid not null,
    job_id text collate "C" references jobs on delete cascade,
    file_id text collate "C" references files on delete cascade,
    user_id uuid not null,
    access text not null check (access in ('viewer', 'editor', 'owner')),
    granted_by text not null,
    granted_at timestamptz not null default now(),
    reason text,
    foreign key (tenant_id, user_id) references users (tenant_id, id),
    check (num_nonnulls(job_id, file_id) = 1),
    unique (job_id, user_id),
    unique (file_id, user_id)
  )`,
  `alter table grants enable row level security`,
  `create policy of_one_tenant on grants to perdure_tenant using (${mine}) with check (${mine})`,
  `grant select, insert, update, delete on grants to perdure_tenant`,
  // Where the job itself is going, its facets go before: see unlist_job.
  `create function list_granted_job() returns trigger language plpgsql security definer set search_path from current as $$
    begin
      if tg_op = 'INSERT' then
        insert into job_facets (tenant_id, facet, created_at, job_id)
          select tenant_id, job_facet('grant', new.user_id::text), created_at, id from jobs where id = new.job_id
          on conflict do nothing;
      else
        delete from job_facets using jobs where jobs.id = old.job_id and job_facets.tenant_id = jobs.tenant_id
          and job_facets.facet = job_facet('grant', old.user_id::text)
          and job_facets.created_at = jobs.created_at and job_facets.job_id = jobs.id;
      end if;
      return null;
    end
  $$`,
  `create trigger list_granted_job after insert or delete on grants for each row execute function list_granted_job()`,
  // As in 0009, and the facets of grants.
  `create or replace function unlist_job() returns trigger language plpgsql security definer set search_path from current as $$
    begin
      delete from job_facets where tenant_id = old.tenant_id and created_at = old.created_at and job_id = old.id and facet in (
        select job_facets_of(old)
        union select job_facet('agent', agent_id) from job_events where job_id = old.id and agent_id is not null
        union select job_facet('grant', user_id::text) from grants where job_id = old.id
      );
      delete from job_names where tenant_id = old.tenant_id and created_at = old.created_at and job_id = old.id;
      if old.status in ('COMPLETED', 'FAILED', 'CANCELED') then
        perform tally_jobs(old.tenant_id, old.status, old.archived_at is not null, -1);
      end if;
      return old;
    end
  $$`,
];
