import type { JobEvent, JobState, Run } from '@perdure/job/event';
import type { JobStart } from '@perdure/job/start';
import { askedColumns } from './job-rows.ts';
import { jsonText } from './json-text.ts';

/** What the workflow decided since it last recorded: the events, and the state after them. */
export type RecordEntry = {
  start: JobStart;
  state: JobState;
  events: readonly JobEvent[];
  /** Who says so. Absent: somebody who knows it from the last run there is. */
  run?: Run;
};

/** An entry as the statement takes it. `whole` also has the columns of a new row, which most entries need not carry. */
export type EncodedEntry = { jobId: string; tenantId: string; text: string; whole: () => string };

export function encodeEntry({ start, state, events, run }: RecordEntry): EncodedEntry {
  const { jobId } = state;
  const { tenantId } = start;
  const decided = { ...stateColumns(state), run_id: run?.id ?? null };
  const [firstEvent] = events;
  const rest = {
    events: events.map(({ agentId, ...event }) => ({ ...event, agent_id: agentId })),
    continuedFrom: run?.continuedFrom ?? null,
    resetAt: firstEvent?.type === 'reset' ? firstEvent.seq : null,
    produced: state.status === 'COMPLETED' ? (state.outcome?.files ?? []).map(fileColumns) : [],
  };
  const text = () => jsonText({ fresh: false, job: { id: jobId, tenant_id: tenantId, ...decided }, ...rest });
  const whole = () =>
    jsonText({ fresh: true, job: { ...askedColumns(jobId, start, start.parameters), ...decided }, ...rest });
  // Only a direct start has no row when its first event comes.
  const first = !start.admitted && events.some(({ seq }) => seq === 1);
  return { jobId, tenantId, text: first ? whole() : text(), whole };
}

function stateColumns(state: JobState) {
  return {
    function_version: state.functionVersion,
    pool: state.pool,
    assigned_agent_id: state.assignedAgentId,
    status: state.status,
    attempt: state.attempt,
    agent_id: state.agentId,
    agent_losses: state.agentLosses,
    output: state.outcome?.output ?? null,
    files: state.outcome?.files ?? [],
    result_file: state.outcome?.resultFile ?? null,
    error: state.error,
    stop: state.stop,
    cancel_requested_at: state.cancelRequestedAt,
    cancel_forced: state.cancelForced,
    // Of a new row: one for each event.
    revision: state.seq,
    last_seq: state.seq,
    created_at: state.createdAt,
    queued_at: state.queuedAt,
    started_at: state.startedAt,
    ended_at: state.endedAt,
  };
}

function fileColumns({
  fileId,
  name,
  mediaType,
  size,
  sha256,
}: NonNullable<JobState['outcome']>['files'][number]) {
  return { id: fileId, name, media_type: mediaType, size, sha256 };
}
