import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What agents announce. A row without a tenant belongs to the operator and serves everybody. */
export const catalogue: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table functions (
        tenant_id uuid references tenants,
        name text collate "C" not null,
        version text collate "C" not null,
        description text not null,
        input_schema jsonb not null,
        output_schema jsonb,
        result text,
        tool jsonb,
        operating_systems jsonb,
        registered_at timestamptz not null default now(),
        unique nulls not distinct (name, version, tenant_id)
      )`.execute(db);
    await sql`
      create table agents (
        id text collate "C" primary key,
        tenant_id uuid references tenants,
        display_name text not null,
        pool text,
        functions jsonb not null,
        tools jsonb not null,
        operating_system text not null,
        slots integer not null,
        busy integer not null,
        software_version text not null,
        status text not null check (status in ('idle', 'busy', 'draining', 'offline')),
        started_at timestamptz not null,
        last_beat_at timestamptz not null default now()
      )`.execute(db);
    await sql`create index agents_by_pool on agents (pool)`.execute(db);
  },
};
