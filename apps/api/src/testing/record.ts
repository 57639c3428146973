import type { JobEvent, JobState } from '@perdure/job/event';
import type { OpenDatabase } from '@perdure/store/database';
import { getJob, type JobRecord } from '@perdure/store/read';
import { makeRecorder } from '@perdure/store/record';

/** Writes to the record what a workflow would: this state, with an event for each number that is missing. */
export async function recordState(
  db: OpenDatabase,
  job: Pick<JobRecord, 'id' | 'tenantId'>,
  some: Partial<JobState>,
): Promise<void> {
  const row = await getJob(db, job.tenantId, job.id);
  if (row === undefined) throw new Error(`there is no job ${job.id}`);
  const at = new Date().toISOString();
  const state: JobState = {
    jobId: row.id,
    status: row.status,
    attempt: row.attempt,
    seq: row.lastSeq + 1,
    agentId: row.agentId,
    pool: row.pool,
    assignedAgentId: row.assignedAgentId,
    functionVersion: row.functionVersion,
    agentLosses: 0,
    createdAt: row.createdAt,
    queuedAt: row.queuedAt ?? at,
    startedAt: row.startedAt,
    endedAt: row.endedAt,
    cancelRequestedAt: row.cancelRequestedAt,
    cancelForced: row.cancelForced,
    stop: row.stop,
    error: null,
    outcome: null,
    ...some,
  };
  const event: JobEvent = {
    seq: state.seq,
    type: 'queued',
    at,
    status: state.status,
    attempt: state.attempt,
    agentId: state.agentId,
    actor: 'perdure',
    message: null,
    code: null,
    data: null,
  };
  await makeRecorder(db).record({ start: row.start, state, events: [event] });
}

export const ended = (): string => new Date().toISOString();
