import { PerdureError } from '@perdure/job/errors';
import { terminalStatuses } from '@perdure/job/status';
import type { OpenDatabase } from './database.ts';
import { newRowColumns } from './job-rows.ts';
import { channel } from './notify.ts';
import { isRefusal } from './pg-errors.ts';
import { Overtaken, type RecordedBefore } from './overtaken.ts';
import type { EncodedEntry } from './record-entry.ts';

type Outcome = Error | undefined;

/**
 * Writes entries of several jobs in one statement, which is one transaction. When PostgreSQL refuses it, the entries are
 * tried in halves, so that the one to blame fails alone. Rejects when the server is in trouble.
 */
export async function writeEntries(
  db: OpenDatabase,
  entries: readonly EncodedEntry[],
): Promise<readonly Outcome[]> {
  try {
    return await writeTogether(db, entries);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const [only] = entries;
    if (entries.length === 1 && only !== undefined) {
      return [
        new PerdureError('internal-error', `The record refuses the state of job ${only.jobId}`, {
          cause: error,
        }),
      ];
    }
    const middle = Math.ceil(entries.length / 2);
    return [
      ...(await writeEntries(db, entries.slice(0, middle))),
      ...(await writeEntries(db, entries.slice(middle))),
    ];
  }
}

async function writeTogether(
  db: OpenDatabase,
  entries: readonly EncodedEntry[],
): Promise<readonly Outcome[]> {
  const known = await write(
    db,
    entries.map(({ text }) => text),
  );
  // The second time for rows that do not exist, though they were to be expected. The third time for rows that another
  // transaction made while the second was under way: they conflict, and are not visible yet.
  for (let time = 2; time <= 3; time++) {
    const homeless = entries.filter(({ jobId }) => !known.has(jobId));
    if (homeless.length === 0) break;
    const texts = homeless.map(({ whole }) => whole());
    for (const [id, outcome] of await write(db, texts)) known.set(id, outcome);
  }
  return entries.map(({ jobId }) =>
    known.has(jobId)
      ? known.get(jobId)
      : new PerdureError('id-taken', `Job ${jobId} belongs to another tenant`),
  );
}

const columns = [...newRowColumns, 'created_at'].join(', ');
const ended = terminalStatuses.map((status) => `'${status}'`).join(', ');

/** Prepared once a connection: to plan it takes three times as long as to run it. */
export const recordStatement = {
  name: 'perdure-record',
  text: `
  with entry as materialized (
    select (e -> 'fresh')::boolean as fresh, e -> 'events' as events, e -> 'produced' as produced,
      e ->> 'continuedFrom' as continued_from, (e ->> 'resetAt')::integer as reset_at, job.*
    from jsonb_array_elements($1::jsonb) as e, jsonb_populate_record(null::jobs, e -> 'job') as job
  ),
  made as (
    insert into jobs (${columns})
    select ${columns} from (select entry.* from entry where fresh order by id) as entry
    on conflict (id) do nothing
    returning id, tenant_id, owner, revision, last_seq, status
  ),
  -- Every writer of several rows takes them in this order, so that no two wait for each other. By id alone, and each on its
  -- own: a plan that was made while the tables were empty must still be good when they are not.
  present as materialized (
    select entry.*, kept.last_seq as kept_seq, kept.revision as kept_revision, kept.attempt as kept_attempt,
      kept.status as kept_status,
      -- Another run of the workflow than the one before, or that which continues it, was made by a reset, and is to say so.
      kept.run_id is null or entry.run_id is null or kept.run_id = entry.run_id
        or coalesce(kept.run_id = entry.continued_from or entry.reset_at = kept.last_seq + 1, false) as ours
    from (select * from entry order by id) as entry, lateral (
      select tenant_id, last_seq, revision, attempt, status, run_id from jobs where jobs.id = entry.id for no key update
    ) as kept
    where kept.tenant_id = entry.tenant_id
  ),
  changed as (
    update jobs set
      function_version = coalesce(present.function_version, jobs.function_version),
      pool = present.pool,
      assigned_agent_id = present.assigned_agent_id,
      status = present.status,
      attempt = present.attempt,
      agent_id = present.agent_id,
      agent_losses = present.agent_losses,
      output = present.output,
      files = present.files,
      result_file = present.result_file,
      error = present.error,
      stop = present.stop,
      cancel_requested_at = present.cancel_requested_at,
      cancel_forced = present.cancel_forced,
      queued_at = present.queued_at,
      started_at = present.started_at,
      ended_at = present.ended_at,
      last_seq = present.last_seq,
      run_id = coalesce(present.run_id, jobs.run_id),
      -- What an attempt reported goes with it.
      progress = case when jobs.attempt = present.attempt and present.status <> 'PENDING' then jobs.progress end,
      last_failure = case when jobs.attempt = present.attempt and present.status <> 'PENDING' then jobs.last_failure end,
      try_number = case when jobs.attempt = present.attempt and present.status <> 'PENDING' then jobs.try_number end,
      next_attempt_at = case when jobs.attempt = present.attempt and present.status not in ('PENDING', ${ended})
        then jobs.next_attempt_at end,
      -- One for each event.
      revision = jobs.revision + present.last_seq - jobs.last_seq,
      updated_at = now()
    from present
    where jobs.id = present.id and present.ours and jobs.last_seq < present.last_seq and jobs.status not in (${ended})
    returning jobs.id, jobs.tenant_id, jobs.owner, jobs.revision, jobs.last_seq, jobs.status
  ),
  written as (select * from made union all select * from changed),
  known as (
    select id, last_seq, revision from written
    union all
    select id, kept_seq, kept_revision from present where ours and id not in (select id from changed)
  ),
  -- An event beyond the row's last is of a state that the row refused.
  kept_events as (
    insert into job_events (tenant_id, job_id, seq, revision, type, at, status, attempt, agent_id, actor, message, code, data)
    select entry.tenant_id, id, event.seq, known.revision - known.last_seq + event.seq, event.type, event.at, event.status,
      event.attempt, event.agent_id, event.actor, event.message, event.code, event.data
    from entry join known using (id), jsonb_populate_recordset(null::job_events, entry.events) as event
    where event.seq <= known.last_seq
    on conflict (job_id, seq) do nothing
  ),
  kept_files as (
    insert into files (id, tenant_id, owner, name, media_type, size, sha256, job_id)
    select file.id, written.tenant_id, written.owner, file.name, file.media_type, file.size, file.sha256, written.id
    from written join entry using (id), jsonb_populate_recordset(null::files, entry.produced) as file
    on conflict (id) do nothing
  )
  select id, pg_notify('${channel}', id || ' ' || revision || ' ' || status || ' ' || tenant_id), null::json as overtaken from written
  union all
  select id, null, null::json from known where id not in (select id from written)
  union all
  select id, null, json_build_object('lastSeq', kept_seq, 'attempt', kept_attempt, 'status', kept_status) from present where not ours`,
};

/** The jobs that have a row of the entry's tenant, whether or not there was anything new to write; and those that another run has recorded. */
async function write(db: OpenDatabase, texts: readonly string[]): Promise<Map<string, Outcome>> {
  const { rows } = await db.pool.query<{ id: string; overtaken: RecordedBefore | null }>({
    ...recordStatement,
    values: [`[${texts.join(',')}]`],
  });
  return new Map(rows.map(({ id, overtaken }) => [id, overtaken ? new Overtaken(id, overtaken) : undefined]));
}
