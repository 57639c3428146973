import { PerdureError } from '@perdure/job/errors';
import { terminalStatuses } from '@perdure/job/status';
import { type Kysely, sql } from 'kysely';
import { notify } from './notify.ts';
import type { Schema } from './schema.ts';

/** The job that is run again. `revision`: only if it still has this one. */
export type Original = { jobId: string; revision?: number | undefined };

/** A job names so many of its reruns, the newest. */
export const maxReruns = 100;

/**
 * Notes in the row of the original that it was run again, as a change that everybody sees.
 *
 * @throws PerdureError `precondition-failed` when it has another revision; `transition-refused` when it is not over, or no longer kept
 */
export async function linkRerun(
  db: Kysely<Schema>,
  tenantId: string,
  { jobId, revision }: Original,
  rerunId: string,
): Promise<void> {
  const { rows } = await sql`
    with job as (
      update jobs set reruns = (array_append(reruns, ${rerunId}))[greatest(1, cardinality(reruns) + 2 - ${maxReruns}::integer):],
        revision = revision + 1, updated_at = now()
      where id = ${jobId} and tenant_id = ${tenantId} and revision = coalesce(${revision ?? null}::integer, revision)
        and status in (${sql.join(terminalStatuses)})
      returning id, revision
    )
    select ${notify(sql`id`, sql`revision`)} from job`.execute(db);
  if (rows.length === 1) return;
  if (revision === undefined)
    throw new PerdureError('transition-refused', `Job ${jobId} is not over, or is no longer kept`);
  throw new PerdureError(
    'precondition-failed',
    `Job ${jobId} has changed since the revision named in If-Match`,
  );
}
