import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Logs by the day, so that old ones go with their table and not line by line. Without a reference to the job: who reads lines has
 * looked for the job before. What is older than the longest usual retention is not carried over.
 */
export const logPartitions: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table job_logs rename to job_logs_before`.execute(db);
    await sql`alter table job_logs_before rename constraint job_logs_pkey to job_logs_before_pkey`.execute(
      db,
    );
    await sql`
      create table job_logs (
        tenant_id uuid not null,
        job_id text collate "C" not null,
        at timestamptz not null,
        attempt integer not null,
        stream text not null,
        level text not null,
        text text not null,
        primary key (job_id, at)
      ) partition by range (at)`.execute(db);
    await sql`
      do $$
      declare
        day date;
        today date := (now() at time zone 'utc')::date;
      begin
        for day in
          select generate_series(
            least(today - 1, (select (min(at) at time zone 'utc')::date from job_logs_before where at > now() - interval '35 days')),
            today + 7, '1 day')
        loop
          execute format('create table %I partition of job_logs for values from (%L) to (%L)',
            'job_logs_' || to_char(day, 'YYYYMMDD'), day || ' 00:00+00', (day + 1) || ' 00:00+00');
        end loop;
      end $$`.execute(db);
    await sql`
      insert into job_logs (tenant_id, job_id, at, attempt, stream, level, text)
      select tenant_id, job_id, at, attempt, stream, level, text from job_logs_before
      where at > now() - interval '35 days' and at < now() + interval '7 days'`.execute(db);
    await sql`drop table job_logs_before`.execute(db);
  },
};
