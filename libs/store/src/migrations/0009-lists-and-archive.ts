import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What lists, counts and the archive read. A job changes its row five times or so, and each change of an indexed column costs an entry in
 * every index of `jobs`; what is only looked for therefore stands in tables of its own, which are written once, by triggers, in the
 * transaction that writes the job: see docs/decisions/0019-lists-walk-the-sparsest-index.md.
 */
export const listsAndArchive: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of [...tables, ...indexes, ...functions, ...backfill, ...triggers])
      await sql.raw(statement).execute(db);
  },
};

const ended = `('COMPLETED', 'FAILED', 'CANCELED')`;

const tables = [
  // Trusted extensions: who may create tables may create them.
  `create extension if not exists pg_trgm`,
  `create extension if not exists btree_gin`,
  `alter table jobs add archived_at timestamptz`,
  `create table job_archivings (
    tenant_id uuid not null,
    job_id text collate "C" not null references jobs on delete cascade,
    revision integer not null,
    kind text not null check (kind in ('archived', 'restored')),
    at timestamptz not null default now(),
    actor text not null,
    reason text,
    primary key (job_id, revision)
  )`,
  `create table job_facets (
    tenant_id uuid not null,
    facet text collate "C" not null,
    created_at timestamptz not null,
    job_id text collate "C" not null,
    primary key (tenant_id, facet, created_at, job_id)
  )`,
  `create table job_names (
    tenant_id uuid not null,
    created_at timestamptz not null,
    job_id text collate "C" not null,
    name text not null,
    primary key (tenant_id, created_at, job_id)
  )`,
  // Jobs that have ended, as sums and as changes of them that nobody has added up yet.
  `create table job_tallies (
    tenant_id uuid not null,
    status text collate "C" not null,
    archived boolean not null,
    jobs bigint not null
  )`,
  `create index job_tallies_by_tenant on job_tallies (tenant_id)`,
];

const indexes = [
  `drop index jobs_by_function`,
  `drop index jobs_by_created`,
  `drop index jobs_by_status`,
  `create index jobs_by_created on jobs (tenant_id, created_at, id) where archived_at is null`,
  `create index jobs_by_status on jobs (tenant_id, status, created_at, id) where archived_at is null`,
  `create index jobs_archived on jobs (tenant_id, created_at, id) where archived_at is not null`,
  `create index jobs_by_ended on jobs (tenant_id, ended_at, id) where ended_at is not null`,
  `create index job_names_by_text on job_names using gin (tenant_id, name gin_trgm_ops) with (gin_pending_list_limit = 256)`,
];

const functions = [
  // A long value by its digest: an entry of an index has a limit.
  `create function job_facet(kind text, value text) returns text language sql immutable parallel safe return
    kind || ':' || case when octet_length(value) <= 200 then value else encode(sha256(convert_to(value, 'UTF8')), 'hex') end`,
  `create function job_facets_of(job jobs) returns setof text language sql stable as $$
    select job_facet('owner', job.owner)
    union all select job_facet('function', job.function_name)
    union all select job_facet('pool', job.pool) where job.pool is not null
    union all select job_facet('agent', job.agent_id) where job.agent_id is not null
    union all select job_facet('model', job.parameters ->> 'model') where jsonb_typeof(job.parameters -> 'model') = 'string'
    union all select job_facet('label', jsonb_build_array(key, value)::text)
      from jsonb_each_text(case when jsonb_typeof(job.labels) = 'object' then job.labels else '{}' end)
  $$`,
  // Adding up now and then keeps the sums few; what others are adding up is left to them, so nobody waits.
  `create function tally_jobs(tenant uuid, status text, archived boolean, jobs integer) returns void language plpgsql as $$
    begin
      insert into job_tallies values (tenant, status, archived, jobs);
      if random() < 0.005 then
        with gone as (
          delete from job_tallies where ctid = any (array(
            select ctid from job_tallies where tenant_id = tenant limit 2000 for update skip locked
          )) returning *
        )
        insert into job_tallies
          select gone.tenant_id, gone.status, gone.archived, sum(gone.jobs) from gone group by 1, 2, 3 having sum(gone.jobs) <> 0;
      end if;
    end
  $$`,
  `create function list_new_job() returns trigger language plpgsql as $$
    begin
      insert into job_facets (tenant_id, facet, created_at, job_id)
        select new.tenant_id, facet, new.created_at, new.id from job_facets_of(new) as facet on conflict do nothing;
      if new.name is not null then
        insert into job_names (tenant_id, created_at, job_id, name) values (new.tenant_id, new.created_at, new.id, new.name);
      end if;
      if new.status in ${ended} then
        perform tally_jobs(new.tenant_id, new.status, new.archived_at is not null, 1);
      end if;
      return null;
    end
  $$`,
  // An agent that had the job keeps it in its list; a pool does not.
  `create function list_changed_job() returns trigger language plpgsql as $$
    begin
      if new.agent_id is distinct from old.agent_id and new.agent_id is not null then
        insert into job_facets (tenant_id, facet, created_at, job_id)
          values (new.tenant_id, job_facet('agent', new.agent_id), new.created_at, new.id) on conflict do nothing;
      end if;
      if new.pool is distinct from old.pool then
        delete from job_facets where tenant_id = old.tenant_id and facet = job_facet('pool', old.pool)
          and created_at = old.created_at and job_id = old.id;
        insert into job_facets (tenant_id, facet, created_at, job_id)
          select new.tenant_id, job_facet('pool', new.pool), new.created_at, new.id where new.pool is not null
          on conflict do nothing;
      end if;
      if (new.status, new.archived_at is null) is distinct from (old.status, old.archived_at is null) then
        if old.status in ${ended} then
          perform tally_jobs(old.tenant_id, old.status, old.archived_at is not null, -1);
        end if;
        if new.status in ${ended} then
          perform tally_jobs(new.tenant_id, new.status, new.archived_at is not null, 1);
        end if;
      end if;
      return null;
    end
  $$`,
  // Before the events go: they know the agents that had the job.
  `create function unlist_job() returns trigger language plpgsql as $$
    begin
      delete from job_facets where tenant_id = old.tenant_id and created_at = old.created_at and job_id = old.id and facet in (
        select job_facets_of(old)
        union select job_facet('agent', agent_id) from job_events where job_id = old.id and agent_id is not null
      );
      delete from job_names where tenant_id = old.tenant_id and created_at = old.created_at and job_id = old.id;
      if old.status in ${ended} then
        perform tally_jobs(old.tenant_id, old.status, old.archived_at is not null, -1);
      end if;
      return old;
    end
  $$`,
];

const backfill = [
  `insert into job_facets (tenant_id, facet, created_at, job_id)
    select tenant_id, job_facets_of(jobs), created_at, id from jobs
    union
    select jobs.tenant_id, job_facet('agent', job_events.agent_id), jobs.created_at, jobs.id
    from job_events join jobs on jobs.id = job_events.job_id where job_events.agent_id is not null`,
  `insert into job_names (tenant_id, created_at, job_id, name)
    select tenant_id, created_at, id, name from jobs where name is not null`,
  `insert into job_tallies select tenant_id, status, false, count(*) from jobs where status in ${ended} group by 1, 2`,
];

const triggers = [
  `create trigger list_new_job after insert on jobs for each row execute function list_new_job()`,
  `create trigger list_changed_job after update on jobs for each row
    when (old.agent_id is distinct from new.agent_id or old.pool is distinct from new.pool
      or old.archived_at is distinct from new.archived_at
      or (old.status <> new.status and (old.status in ${ended} or new.status in ${ended})))
    execute function list_changed_job()`,
  `create trigger unlist_job before delete on jobs for each row execute function unlist_job()`,
];
