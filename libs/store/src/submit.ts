import { PerdureError } from '@perdure/job/errors';
import type { JsonObject } from '@perdure/job/json';
import type { JobStart } from '@perdure/job/start';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Database } from './database.ts';
import { findKeys, giveKeysBack, type Idempotency, takeKeys } from './idempotency-keys.ts';
import { askedColumns, newRowColumns, toJobRecord } from './job-rows.ts';
import { jsonText } from './json-text.ts';
import { notifyEvent } from './notify.ts';
import { hasSqlState, sqlStates } from './pg-errors.ts';
import { getJobs } from './read-jobs.ts';
import type { JobRecord } from './records.ts';
import { linkRerun, type Original } from './reruns.ts';
import type { Schema } from './schema.ts';
import { inTransaction } from './transactions.ts';

export { insertFile } from './files.ts';
export { findKeys, type Idempotency, keyReused } from './idempotency-keys.ts';
export {
  appendPart,
  completeUpload,
  createUpload,
  deleteUpload,
  expiredUploads,
  expireUpload,
  getUpload,
  listParts,
} from './uploads.ts';
export type { FileRecord, JobRecord, UploadRecord } from './records.ts';

export type NewJob = {
  id: string;
  tenantId: string;
  owner: string;
  /** What the workflow will be started with; without the parameters where they are too large to travel. */
  start: JobStart;
  /** Always whole. */
  parameters: JsonObject;
  idempotency?: Idempotency | undefined;
};

export type Created =
  | { created: true; job: JobRecord }
  /** `job` is absent where another tenant has the id, or the job is no longer kept. */
  | { created: false; reason: 'repeat' | 'key-reused' | 'id-taken'; job?: JobRecord | undefined };

export type Creation = {
  tenantId: string;
  jobs: readonly NewJob[];
  /** The key of all of them together, beside those of each; free again where none became a job. */
  batch?: Idempotency | undefined;
  /** The job that they run again. Its row tells so. */
  original?: Original | undefined;
};

const columns = sql.raw(newRowColumns.join(', '));

/** How long a request waits for another one that has the same key or id and is not yet through. */
const lockTimeout = '2s';

/** One job, by the rules of `createJobs`. */
export async function createJob(db: Database, job: NewJob, idempotency?: Idempotency): Promise<Created> {
  const [created] = await createJobs(db, { tenantId: job.tenantId, jobs: [{ ...job, idempotency }] });
  if (created === undefined) throw new Error('there is an answer for each job');
  return created;
}

/**
 * Writes jobs as CREATED, each with its event 1, its parameters and its idempotency key, in one transaction: what can become a job does,
 * and what cannot leaves no trace. One answer for each, in their order. Of several requests with the same key one creates, and the others
 * wait for it.
 *
 * @throws PerdureError `request-in-flight` when that takes longer than two seconds; `idempotency-key-reused` when the batch with this key
 * was another one; what `linkRerun` throws. Whatever is thrown, nothing was written: unless the connection was lost in the commit
 */
export async function createJobs(
  db: Database,
  { tenantId, jobs, batch, original }: Creation,
): Promise<Created[]> {
  try {
    return await inTransaction(db, async (transaction) => {
      await sql`set local lock_timeout = ${sql.lit(lockTimeout)}`.execute(transaction);
      const { free, tookBatch } = await takeKeys(transaction, tenantId, jobs, batch);
      const made = await insertJobs(transaction, free);
      const [first] = made.values();
      if (original && first?.job) await linkRerun(transaction, tenantId, original, first.job.id);
      const unmade = jobs.filter((job) => !made.has(job));
      const reasons = await whyNot({ kysely: transaction }, tenantId, unmade, new Set(free));
      const unused = free.filter((job) => !made.has(job)).flatMap(({ idempotency }) => idempotency ?? []);
      if (batch && tookBatch && made.size === 0) unused.push(batch);
      await giveKeysBack(transaction, tenantId, unused);
      return jobs.flatMap((job) => made.get(job) ?? reasons.get(job) ?? []);
    });
  } catch (cause) {
    if (!hasSqlState(cause, sqlStates.lockNotAvailable)) throw cause;
    throw inFlight(cause);
  }
}

/** What was made of which. Of several that want the same id the first has it. */
async function insertJobs(db: Kysely<Schema>, jobs: readonly NewJob[]): Promise<Map<NewJob, Created>> {
  const firstOf = new Map([...jobs].reverse().map((job) => [job.id, job]));
  // Every writer of several rows takes them in this order, so that no two wait for each other.
  const sorted = [...firstOf.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  if (sorted.length === 0) return new Map();
  const { rows } = await sql<Selectable<Schema['jobs']> & { told: string }>`
    with job as (
      insert into jobs (${columns})
      select ${columns} from jsonb_populate_recordset(null::jobs, ${jsonText(sorted.map(rowOf))}::jsonb) as fresh
      -- An id is used once, also after its job is gone.
      where not was_purged(fresh.id)
      on conflict (id) do nothing
      returning *
    ), event as (
      insert into job_events (tenant_id, job_id, seq, revision, type, at, status, attempt, actor)
      select tenant_id, id, 1, revision, 'created', created_at, status, attempt, owner from job
    )
    select job.*, ${notifyEvent} as told from job`.execute(db);
  const made = new Map<NewJob, Created>();
  for (const { told: _told, ...row } of rows) {
    const job = firstOf.get(row.id);
    if (job !== undefined) made.set(job, { created: true, job: toJobRecord(row) });
  }
  return made;
}

function rowOf({ id, tenantId, owner, start, parameters }: NewJob) {
  return {
    ...askedColumns(id, { ...start, tenantId, owner }, parameters),
    function_version: start.version ?? null,
    pool: start.pool ?? null,
    assigned_agent_id: start.assignedAgentId ?? null,
    status: 'CREATED',
    attempt: 0,
    agent_losses: 0,
    files: [],
    revision: 1,
    last_seq: 1,
  };
}

/** Why no job was made of these: their key or their id is in use. */
async function whyNot(
  db: Pick<Database, 'kysely'>,
  tenantId: string,
  jobs: readonly NewJob[],
  free: ReadonlySet<NewJob>,
): Promise<Map<NewJob, Created>> {
  if (jobs.length === 0) return new Map();
  const caller = jobs.find(({ idempotency }) => idempotency)?.idempotency?.caller ?? '';
  const asked = jobs.flatMap(({ idempotency }) => idempotency?.key ?? []);
  const keys = new Map((await findKeys(db, tenantId, caller, asked)).map((one) => [one.key, one]));
  const firstOf = ({ idempotency }: NewJob) => keys.get(idempotency?.key ?? '');
  const ids = jobs.map((job) => (free.has(job) ? job.id : (firstOf(job)?.jobId ?? '')));
  const found = new Map((await getJobs(db, tenantId, ids)).map((job) => [job.id, job]));
  const reasonOf = (job: NewJob): Created => {
    if (free.has(job)) return { created: false, reason: 'id-taken', job: found.get(job.id) };
    const first = firstOf(job);
    // Its time was over in this very moment: the next request is a first one again.
    if (first === undefined) throw inFlight();
    if (first.fingerprint !== job.idempotency?.fingerprint) return { created: false, reason: 'key-reused' };
    return { created: false, reason: 'repeat', job: found.get(first.jobId) };
  };
  return new Map(jobs.map((job) => [job, reasonOf(job)]));
}

function inFlight(cause?: unknown): PerdureError {
  const text = 'The first request with this key or id is still being answered';
  return new PerdureError('request-in-flight', text, { cause });
}

/** The workflows of the jobs were started: the housekeeping need not do it. */
export async function markStarted(db: Database, ...jobIds: readonly string[]): Promise<void> {
  await db.kysely
    .updateTable('jobs')
    .set({ workflowStartedAt: sql<string>`now()` })
    .where('id', '=', sql<string>`any(${jobIds}::text[])`)
    .where('workflowStartedAt', 'is', null)
    .execute();
}
