import { PerdureError } from '@perdure/job/errors';
import { terminalStatuses } from '@perdure/job/status';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { newRowColumns } from './job-rows.ts';
import { notify } from './notify.ts';
import { isRefusal } from './pg-errors.ts';
import type { EncodedEntry } from './record-entry.ts';

type Outcome = Error | undefined;

/**
 * Writes entries of several jobs in one statement, which is one transaction. When PostgreSQL refuses it, the entries are
 * tried in halves, so that the one to blame fails alone. Rejects when the server is in trouble.
 */
export async function writeEntries(
  db: Database,
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
    const middle = entries.length / 2;
    return [
      ...(await writeEntries(db, entries.slice(0, middle))),
      ...(await writeEntries(db, entries.slice(middle))),
    ];
  }
}

async function writeTogether(db: Database, entries: readonly EncodedEntry[]): Promise<readonly Outcome[]> {
  const known = new Set(
    await write(
      db,
      entries.map(({ text }) => text),
    ),
  );
  // The second time for rows that do not exist, though they were to be expected. The third time for rows that another
  // transaction made while the second was under way: they conflict, and are not visible yet.
  for (let time = 2; time <= 3; time++) {
    const homeless = entries.filter(({ jobId }) => !known.has(jobId));
    if (homeless.length === 0) break;
    for (const id of await write(
      db,
      homeless.map(({ whole }) => whole()),
    ))
      known.add(id);
  }
  return entries.map(({ jobId }) =>
    known.has(jobId) ? undefined : new PerdureError('id-taken', `Job ${jobId} belongs to another tenant`),
  );
}

const columns = sql.join([...newRowColumns, 'created_at'].map((name) => sql.ref(name)));
const ended = sql.join(terminalStatuses.map((status) => sql.lit(status)));

/** Returns the ids of the jobs that have a row of the entry's tenant, whether or not there was anything new to write. */
async function write(db: Database, texts: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with entry as materialized (
      select (e -> 'fresh')::boolean as fresh, e -> 'events' as events, e -> 'produced' as produced, job.*
      from jsonb_array_elements(${`[${texts.join(',')}]`}::jsonb) as e, jsonb_populate_record(null::jobs, e -> 'job') as job
    ),
    made as (
      insert into jobs (${columns})
      select ${columns} from (select entry.* from entry where fresh order by id) as entry
      on conflict (id) do nothing
      returning id, tenant_id, owner, revision, last_seq
    ),
    -- Every writer of several rows takes them in this order, so that no two wait for each other.
    present as materialized (
      select jobs.id, jobs.last_seq from jobs join entry using (id, tenant_id) order by jobs.id for no key update of jobs
    ),
    changed as (
      update jobs set
        function_version = coalesce(entry.function_version, jobs.function_version),
        pool = entry.pool,
        assigned_agent_id = entry.assigned_agent_id,
        status = entry.status,
        attempt = entry.attempt,
        agent_id = entry.agent_id,
        agent_losses = entry.agent_losses,
        output = entry.output,
        files = entry.files,
        result_file = entry.result_file,
        error = entry.error,
        stop = entry.stop,
        cancel_requested_at = entry.cancel_requested_at,
        queued_at = entry.queued_at,
        started_at = entry.started_at,
        ended_at = entry.ended_at,
        last_seq = entry.last_seq,
        -- What an attempt reported goes with it.
        progress = case when jobs.attempt = entry.attempt and entry.status <> 'PENDING' then jobs.progress end,
        last_failure = case when jobs.attempt = entry.attempt and entry.status <> 'PENDING' then jobs.last_failure end,
        try_number = case when jobs.attempt = entry.attempt and entry.status <> 'PENDING' then jobs.try_number end,
        next_attempt_at = case when jobs.attempt = entry.attempt and entry.status not in ('PENDING', ${ended})
          then jobs.next_attempt_at end,
        revision = jobs.revision + 1,
        updated_at = now()
      from present join entry using (id)
      where jobs.id = present.id and jobs.last_seq < entry.last_seq and jobs.status not in (${ended})
      returning jobs.id, jobs.tenant_id, jobs.owner, jobs.revision, jobs.last_seq
    ),
    written as (select * from made union all select * from changed),
    known as (
      select id, last_seq from written
      union all
      select id, last_seq from present where id not in (select id from changed)
    ),
    -- An event beyond the row's last is of a state that the row refused.
    kept_events as (
      insert into job_events (tenant_id, job_id, seq, type, at, status, attempt, agent_id, actor, message, code, data)
      select entry.tenant_id, id, event.seq, event.type, event.at, event.status, event.attempt, event.agent_id,
        event.actor, event.message, event.code, event.data
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
    select id, ${notify(sql`id`, sql`revision`)} from written
    union all
    select id, null from known where id not in (select id from written)`.execute(db.kysely);
  return rows.map(({ id }) => id);
}
