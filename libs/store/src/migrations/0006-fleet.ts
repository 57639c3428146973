import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * What a fleet needs: pools that operators make and fill, agents that speak only HTTP, and what an attempt brings before it is committed.
 * A pool without a tenant was announced by agents that serve everybody.
 */
export const fleet: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table pools (
        tenant_id uuid references tenants,
        name text collate "C" not null,
        description text,
        created_by text,
        created_at timestamptz not null default now(),
        unique nulls not distinct (name, tenant_id)
      )`.execute(db);
    // With the tenant of the agent. An agent takes its own word back with its next announcement, but not an operator's.
    await sql`
      create table pool_members (
        tenant_id uuid references tenants,
        pool text collate "C" not null,
        agent_id text collate "C" not null references agents on delete cascade,
        announced boolean not null,
        primary key (agent_id, pool)
      )`.execute(db);
    await sql`create index pool_members_by_pool on pool_members (pool)`.execute(db);
    await sql`insert into pools (tenant_id, name) select distinct tenant_id, pool from agents where pool is not null`.execute(
      db,
    );
    await sql`
      insert into pool_members (tenant_id, pool, agent_id, announced) select tenant_id, pool, id, true from agents where pool is not null`.execute(
      db,
    );
    await sql`
      alter table agents
        drop column pool,
        add kind text not null default 'native' check (kind in ('native', 'http')),
        add instance text,
        add lease_seconds integer not null default 15,
        add drain_requested_at timestamptz,
        add drain_requested_by text,
        add last_claim_at timestamptz`.execute(db);

    // A claim of an HTTP agent, from before the workflow is asked; \`attempt\` once it was granted. A repeat finds its job here.
    await sql`
      create table claims (
        tenant_id uuid not null references tenants,
        agent_id text collate "C" not null references agents on delete cascade,
        claim_id text collate "C" not null,
        job_id text collate "C" not null references jobs on delete cascade,
        attempt integer,
        made_at timestamptz not null default now(),
        primary key (agent_id, claim_id)
      )`.execute(db);
    // Files that an attempt has uploaded. They become files of the tenant when the workflow commits the attempt.
    await sql`
      create table drafts (
        id text collate "C" primary key,
        tenant_id uuid not null,
        job_id text collate "C" not null references jobs on delete cascade,
        attempt integer not null,
        name text not null,
        media_type text not null,
        size bigint not null,
        sha256 text not null,
        created_at timestamptz not null default now(),
        unique (job_id, attempt, name)
      )`.execute(db);

    await sql`alter table jobs add cancel_forced boolean`.execute(db);
    await sql`
      create index jobs_held on jobs (agent_id)
      where status in ('CLAIMED', 'VALIDATING', 'RUNNING', 'UPLOADING')`.execute(db);
    await sql`
      create index jobs_pending on jobs (tenant_id, function_name, function_version, priority, queued_at)
      where status = 'PENDING'`.execute(db);
    await sql`
      create index job_events_of_loss on job_events (agent_id) where code in ('agent-lost', 'agent-unfit')`.execute(
      db,
    );
  },
};
