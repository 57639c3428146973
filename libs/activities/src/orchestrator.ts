import { jobError, PerdureError } from '@perdure/job/errors';
import type { JobStart } from '@perdure/job/start';
import type { Database } from '@perdure/store/database';
import { getAgent, getFunction, poolExists } from '@perdure/store/read';
import { Overtaken, type Recorder } from '@perdure/store/record';
import { CompleteAsyncError, Context, getClient } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Admission, OrchestratorActivities, RecordEntry, Reset } from './contract.ts';
import { whoReset } from './operators.ts';

export type OrchestratorDeps = { db: Database; recorder: Recorder };

/** The activities of the workflow itself: they need a database and no agent. */
export function createOrchestratorActivities({ db, recorder }: OrchestratorDeps): OrchestratorActivities {
  return {
    admit: (start) => admit(db, start),
    record: (entry) => record(recorder, entry),
    hold: () => Promise.reject(new CompleteAsyncError()),
    requestNativeCancel: async (jobId) => void (await getClient().workflow.getHandle(jobId).cancel()),
  };
}

/** What PostgreSQL refuses for good must not be tried for ever; what it cannot take just now is tried again. */
async function record(recorder: Recorder, entry: RecordEntry): Promise<void | Reset> {
  try {
    await recorder.record(entry);
  } catch (failure) {
    if (failure instanceof Overtaken) {
      const { client } = Context.current();
      return { ...failure.recorded, ...(await whoReset(client, entry.state.jobId, entry.run.id)) };
    }
    throw failure instanceof PerdureError
      ? ApplicationFailure.nonRetryable(failure.message, failure.code)
      : failure;
  }
}

/** The checks that the API makes before it accepts a job, for one that a backend service started itself. */
async function admit(db: Database, start: JobStart): Promise<Admission> {
  const { tenantId, version, pool, assignedAgentId } = start;
  const found = await getFunction(db, tenantId, start.function, version);
  if (found === undefined) {
    const wanted = version === undefined ? start.function : `${start.function}@${version}`;
    return refuse('unknown-function', `nobody has registered the function ${wanted}`);
  }
  if (pool !== undefined && !(await poolExists(db, tenantId, pool)))
    return refuse('unknown-pool', `there is no pool ${pool}`);
  if (assignedAgentId !== undefined && (await getAgent(db, tenantId, assignedAgentId)) === undefined) {
    return refuse('unknown-agent', `there is no agent ${assignedAgentId}`);
  }
  return { admitted: true, start: { ...start, version: found.version, admitted: true } };
}

function refuse(code: Parameters<typeof jobError>[0], detail: string): Admission {
  return { admitted: false, error: jobError(code, detail) };
}
