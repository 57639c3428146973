import { PerdureError } from '@perdure/job/errors';
import type { JsonObject } from '@perdure/job/json';
import type { JobStart } from '@perdure/job/start';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Database } from './database.ts';
import { askedColumns, newRowColumns, toJobRecord } from './job-rows.ts';
import { jsonText } from './json-text.ts';
import { notifyEvent } from './notify.ts';
import { hasSqlState, sqlStates } from './pg-errors.ts';
import { findIdempotent, getJob } from './read-jobs.ts';
import type { JobRecord } from './records.ts';
import type { Schema } from './schema.ts';

export { insertFile } from './files.ts';
export type { FileRecord, JobRecord } from './records.ts';

export type NewJob = {
  id: string;
  tenantId: string;
  owner: string;
  /** What the workflow will be started with; without the parameters where they are too large to travel. */
  start: JobStart;
  /** Always whole. */
  parameters: JsonObject;
};

export type Idempotency = {
  caller: string;
  key: string;
  /** Tells one body from another, such as its SHA-256. */
  fingerprint: string;
};

export type Created =
  | { created: true; job: JobRecord }
  /** `job` is absent where another tenant has the id, or the job is no longer kept. */
  | { created: false; reason: 'repeat' | 'key-reused' | 'id-taken'; job?: JobRecord };

const columns = sql.raw(newRowColumns.join(', '));

/** How long a request waits for another one that has the same key or id and is not yet through. */
const lockTimeout = '2s';

/**
 * Writes the job as CREATED with its event 1, its parameters and its idempotency key: all or nothing. Of several requests
 * with the same key one creates, and the others wait for it.
 *
 * @throws PerdureError `request-in-flight` when that takes longer than two seconds
 */
export async function createJob(db: Database, job: NewJob, idempotency?: Idempotency): Promise<Created> {
  try {
    const { row, known } = await db.kysely.transaction().execute(async (transaction) => {
      await sql`set local lock_timeout = ${sql.lit(lockTimeout)}`.execute(transaction);
      if (idempotency && !(await takeKey(transaction, job, idempotency))) return { known: idempotency };
      const row = await insertJob(transaction, job);
      if (row === undefined && idempotency) await giveKeyBack(transaction, job, idempotency);
      return { row };
    });
    if (row) return { created: true, job: toJobRecord(row) };
    return known ? await earlier(db, job, known) : await taken(db, job);
  } catch (cause) {
    if (!hasSqlState(cause, sqlStates.lockNotAvailable)) throw cause;
    throw new PerdureError(
      'request-in-flight',
      'The first request with this key or id is still being answered',
      {
        cause,
      },
    );
  }
}

/** Inserts the key; waits for a transaction that is about to. False: another request has it. */
async function takeKey(
  db: Kysely<Schema>,
  job: NewJob,
  { caller, key, fingerprint }: Idempotency,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('idempotencyKeys')
    .values({ tenantId: job.tenantId, caller, key, fingerprint, jobId: job.id })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

/** A key that made no job is free again. */
async function giveKeyBack(
  db: Kysely<Schema>,
  { tenantId }: NewJob,
  { caller, key }: Idempotency,
): Promise<void> {
  await db
    .deleteFrom('idempotencyKeys')
    .where('tenantId', '=', tenantId)
    .where('caller', '=', caller)
    .where('key', '=', key)
    .execute();
}

async function insertJob(db: Kysely<Schema>, job: NewJob): Promise<Selectable<Schema['jobs']> | undefined> {
  const row = {
    ...askedColumns(job.id, { ...job.start, tenantId: job.tenantId, owner: job.owner }, job.parameters),
    function_version: job.start.version ?? null,
    pool: job.start.pool ?? null,
    assigned_agent_id: job.start.assignedAgentId ?? null,
    status: 'CREATED',
    attempt: 0,
    agent_losses: 0,
    files: [],
    revision: 1,
    last_seq: 1,
  };
  const { rows } = await sql<Selectable<Schema['jobs']> & { told: string }>`
    with job as (
      insert into jobs (${columns})
      select ${columns} from jsonb_populate_record(null::jobs, ${jsonText(row)}::jsonb)
      on conflict (id) do nothing
      returning *
    ), event as (
      insert into job_events (tenant_id, job_id, seq, revision, type, at, status, attempt, actor)
      select tenant_id, id, 1, revision, 'created', created_at, status, attempt, owner from job
    )
    select job.*, ${notifyEvent} as told from job`.execute(db);
  const [made] = rows;
  if (made === undefined) return undefined;
  const { told: _told, ...created } = made;
  return created;
}

async function earlier(
  db: Database,
  job: NewJob,
  { caller, key, fingerprint }: Idempotency,
): Promise<Created> {
  const first = await findIdempotent(db, job.tenantId, caller, key);
  // Its time was over in this very moment.
  if (first === undefined) return createJob(db, job, { caller, key, fingerprint });
  if (first.fingerprint !== fingerprint) return { created: false, reason: 'key-reused' };
  return { created: false, reason: 'repeat', job: await getJob(db, job.tenantId, first.jobId) };
}

async function taken(db: Database, { tenantId, id }: NewJob): Promise<Created> {
  return { created: false, reason: 'id-taken', job: await getJob(db, tenantId, id) };
}

/** The workflow of the job was started: the housekeeping need not do it. */
export async function markStarted(db: Database, jobId: string): Promise<void> {
  await db.kysely
    .updateTable('jobs')
    .set({ workflowStartedAt: sql<string>`now()` })
    .where('id', '=', jobId)
    .where('workflowStartedAt', 'is', null)
    .execute();
}
