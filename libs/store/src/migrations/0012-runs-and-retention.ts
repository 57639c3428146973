import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * `run_id`: the run of the workflow that recorded last; another one is a reset. `purged_jobs`: what stays known of jobs that are no longer kept.
 * Ended jobs are found by their class and age; the index costs a job one entry, when it ends.
 */
export const runsAndRetention: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table jobs add run_id text`.execute(db);
    await sql`
      create index jobs_by_retention on jobs ((coalesce(start ->> 'retention', 'standard')), ended_at)
      where ended_at is not null`.execute(db);
    await sql`
      create table purged_jobs (
        id text collate "C" primary key,
        tenant_id uuid not null,
        owner text not null,
        function_name text not null,
        function_version text,
        status text not null,
        created_at timestamptz not null,
        ended_at timestamptz not null,
        purged_at timestamptz not null default now()
      )`.execute(db);
    await sql`create index purged_jobs_by_age on purged_jobs (purged_at)`.execute(db);
  },
};
