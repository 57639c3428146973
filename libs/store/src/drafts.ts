import { PerdureError } from '@perdure/job/errors';
import { type Selectable, sql } from 'kysely';
import type { Database } from './database.ts';
import { heldBy, refusal } from './fence.ts';
import { storableText } from './json-text.ts';
import { hasSqlState, sqlStates } from './pg-errors.ts';
import type { Draft } from './records.ts';
import type { Schema } from './schema.ts';

/**
 * Keeps a file of the attempt that holds the job; one of the same name takes the place of the one before.
 *
 * @throws PerdureError `stale-attempt`; `upload-failed` where the bytes were stored so long ago that they were removed
 */
export async function keepDraft(
  db: Database,
  jobId: string,
  attempt: number,
  { id, name, mediaType, size, sha256 }: Draft,
): Promise<Draft> {
  const keeping = sql<Selectable<Schema['drafts']>>`
    insert into drafts (id, tenant_id, job_id, attempt, name, media_type, size, sha256)
    select ${id}, jobs.tenant_id, jobs.id, jobs.attempt, ${storableText(name)}, ${storableText(mediaType)}, ${size}::bigint, ${sha256}
    from jobs where ${heldBy(jobId, attempt)}
    on conflict (job_id, attempt, name) do update set
      media_type = excluded.media_type, size = excluded.size, sha256 = excluded.sha256
    returning id, name, media_type, size, sha256`.execute(db.kysely);
  const { rows } = await keeping.catch((error: unknown) => {
    if (!hasSqlState(error, sqlStates.ioError)) throw error;
    throw new PerdureError('upload-failed', 'The bytes are no longer stored: send them again', {
      cause: error,
    });
  });
  const [kept] = rows;
  if (kept === undefined) throw await refusal(db, jobId, attempt);
  return kept;
}

/** What the attempt has uploaded, in the order in which it did. */
export function listDrafts(db: Database, tenantId: string, jobId: string, attempt: number): Promise<Draft[]> {
  return db.kysely
    .selectFrom('drafts')
    .select(['id', 'name', 'mediaType', 'size', 'sha256'])
    .where('tenantId', '=', tenantId)
    .where('jobId', '=', jobId)
    .where('attempt', '=', attempt)
    .orderBy('createdAt')
    .orderBy('id')
    .execute();
}
