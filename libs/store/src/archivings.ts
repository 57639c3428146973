import { terminalStatuses } from '@perdure/job/status';
import { type Selectable, sql } from 'kysely';
import type { Database } from './database.ts';
import { toJobRecord } from './job-rows.ts';
import { storableText } from './json-text.ts';
import { notify } from './notify.ts';
import type { Archiving, JobRecord } from './records.ts';
import type { Schema } from './schema.ts';

export type ArchiveOrder = Pick<Archiving, 'kind' | 'actor' | 'reason'>;

/**
 * Puts a job that has ended into the archive, or takes it out, and keeps who did it: all or nothing. Undefined where the job no longer has
 * this revision, is not of the tenant, has not ended, or is there already: nothing was written.
 */
export async function archiveJob(
  db: Database,
  { id, tenantId, revision }: Pick<JobRecord, 'id' | 'tenantId' | 'revision'>,
  { kind, actor, reason }: ArchiveOrder,
): Promise<JobRecord | undefined> {
  const [then, before] =
    kind === 'archived' ? [sql`now()`, sql`archived_at is null`] : [sql`null`, sql`archived_at is not null`];
  const said = reason === null ? null : storableText(reason);
  const { rows } = await sql<Selectable<Schema['jobs']> & { told: string }>`
    with job as (
      update jobs set archived_at = ${then}, revision = revision + 1, updated_at = now()
      where id = ${id} and tenant_id = ${tenantId} and revision = ${revision} and ${before}
        and status in (${sql.join(terminalStatuses)})
      returning *
    ), kept as (
      insert into job_archivings (tenant_id, job_id, revision, kind, actor, reason)
      select tenant_id, id, revision, ${kind}, ${storableText(actor)}, ${said} from job
    )
    select job.*, ${notify(sql`id`, sql`revision`)} as told from job`.execute(db.kysely);
  const [changed] = rows;
  if (changed === undefined) return undefined;
  const { told: _told, ...row } = changed;
  return toJobRecord(row);
}

/** Every time the job was archived or restored, oldest first. */
export function getArchivings(db: Database, tenantId: string, jobId: string): Promise<Archiving[]> {
  return db.kysely
    .selectFrom('jobArchivings')
    .select(['revision', 'kind', 'at', 'actor', 'reason'])
    .where('tenantId', '=', tenantId)
    .where('jobId', '=', jobId)
    .orderBy('revision')
    .execute();
}
