import { type ErrorCode, jobError } from '@perdure/job/errors';
import type { JobEvent, JobState } from '@perdure/job/event';
import { isTerminal } from '@perdure/job/status';
import type { Database } from '@perdure/store/database';
import type { JobRecord } from '@perdure/store/read';
import { closeFromOutside, type Recorder } from '@perdure/store/record';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { whoTerminated } from './operators.ts';

/**
 * Makes the record of a job that is not terminal agree with its workflow. True when the record was wrong.
 * A workflow that runs is right by definition: it will record what it decides.
 */
export async function reconcile(
  db: Database,
  recorder: Recorder,
  client: Client,
  job: JobRecord,
): Promise<boolean> {
  const handle = client.workflow.getHandle(job.id);
  const status = await handle.describe().then(
    ({ status }) => status.name,
    (failure: unknown) => {
      if (failure instanceof WorkflowNotFoundError) return 'GONE' as const;
      throw failure;
    },
  );
  switch (status) {
    case 'RUNNING':
    case 'PAUSED':
    case 'CONTINUED_AS_NEW':
    case 'UNSPECIFIED':
    case 'UNKNOWN':
      return false;
    case 'GONE':
      return close(
        db,
        job,
        'workflow-gone',
        'Temporal does not know the workflow: it was deleted, or its server lost its data',
      );
    case 'TERMINATED': {
      const { by, reason } = await whoTerminated(client, job.id);
      return close(db, job, 'terminated', `terminated by ${by}${reason ? `: ${reason}` : ''}`, by);
    }
    case 'TIMED_OUT':
      return close(db, job, 'workflow-timed-out', 'the workflow ran into a time limit of Temporal');
    case 'COMPLETED':
    case 'FAILED':
    case 'CANCELLED':
      return (
        (await recordFromQuery(recorder, handle, job)) ||
        close(db, job, 'workflow-failed', `the workflow ended as ${status} without a record`)
      );
  }
}

/** A workflow that ended by its own rules still answers, and knows all that the record missed. */
async function recordFromQuery(recorder: Recorder, handle: WorkflowHandle, job: JobRecord): Promise<boolean> {
  try {
    const state = await handle.query<JobState>('status');
    if (!isTerminal(state.status)) return false;
    const events = await handle.query<JobEvent[]>('history');
    await recorder.record({ start: job.start, state, events });
    return true;
  } catch {
    return false;
  }
}

function close(
  db: Database,
  job: JobRecord,
  code: ErrorCode,
  detail: string,
  actor = 'perdure',
): Promise<boolean> {
  const error = jobError(code, detail);
  return closeFromOutside(
    db,
    job.id,
    { status: 'FAILED', error, event: { type: 'failed', actor, message: error.detail, code } },
    job.lastSeq,
  );
}
