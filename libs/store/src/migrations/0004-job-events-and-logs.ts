import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const jobEventsAndLogs: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table job_events (
        tenant_id uuid not null,
        job_id text collate "C" not null references jobs on delete cascade,
        seq integer not null,
        type text not null,
        at timestamptz not null,
        status text collate "C" not null,
        attempt integer not null,
        agent_id text,
        actor text not null,
        message text,
        code text,
        data jsonb,
        primary key (job_id, seq)
      )`.execute(db);
    await sql`
      create table job_logs (
        tenant_id uuid not null,
        job_id text collate "C" not null references jobs on delete cascade,
        at timestamptz not null,
        attempt integer not null,
        stream text not null,
        level text not null,
        text text not null,
        primary key (job_id, at)
      )`.execute(db);
  },
};
