import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Jobs have no foreign key to tenants: a workflow that was started directly for a tenant that does not exist must still
 * be able to record that it failed. Ids sort by bytes ("C"), so that pages do not depend on the server's locale.
 */
export const jobs: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    // Reports rewrite a row without touching an indexed column; the free space lets PostgreSQL do that within the page.
    await sql`
      create table jobs (
        id text collate "C" primary key,
        tenant_id uuid not null,
        owner text not null,
        name text,
        function_name text collate "C" not null,
        function_version text,
        pool text,
        assigned_agent_id text,
        tool jsonb,
        operating_system text,
        status text collate "C" not null check (status in
          ('CREATED', 'PENDING', 'CLAIMED', 'VALIDATING', 'RUNNING', 'UPLOADING', 'COMPLETED', 'FAILED', 'CANCELED')),
        attempt integer not null,
        agent_id text,
        agent_losses integer not null,
        parameters jsonb not null,
        parameters_sha256 text,
        labels jsonb not null,
        priority integer not null,
        limits jsonb not null,
        output jsonb,
        files jsonb not null,
        result_file text,
        error jsonb,
        last_failure jsonb,
        next_attempt_at timestamptz,
        try_number integer,
        progress jsonb,
        stop jsonb,
        cancel_requested_at timestamptz,
        cancel_delivered_at timestamptz,
        revision integer not null,
        last_seq integer not null,
        last_log_at timestamptz,
        start jsonb not null,
        created_at timestamptz not null default now(),
        queued_at timestamptz,
        started_at timestamptz,
        ended_at timestamptz,
        updated_at timestamptz not null default now(),
        workflow_started_at timestamptz
      ) with (fillfactor = 80)`.execute(db);
    // One index for each way to page: all, by status, by function, by both.
    await sql`create index jobs_by_created on jobs (tenant_id, created_at, id)`.execute(db);
    await sql`create index jobs_by_status on jobs (tenant_id, status, created_at, id)`.execute(db);
    await sql`create index jobs_by_function on jobs (tenant_id, function_name, status, created_at, id)`.execute(
      db,
    );
    // For the housekeeping, of all tenants. Not by updated_at: every report would then have to touch the index.
    await sql`
      create index jobs_under_way on jobs (created_at)
      where status not in ('COMPLETED', 'FAILED', 'CANCELED')`.execute(db);
    await sql`
      create index jobs_without_workflow on jobs (created_at)
      where status = 'CREATED' and workflow_started_at is null`.execute(db);

    await sql`
      create table idempotency_keys (
        tenant_id uuid not null,
        caller text collate "C" not null,
        key text collate "C" not null,
        fingerprint text not null,
        job_id text collate "C" not null,
        created_at timestamptz not null default now(),
        primary key (tenant_id, caller, key)
      )`.execute(db);
    await sql`create index idempotency_keys_by_created on idempotency_keys (created_at)`.execute(db);
  },
};
