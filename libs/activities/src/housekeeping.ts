import type { JobStart } from '@perdure/job/start';
import type { Database } from '@perdure/store/database';
import { createdWithoutWorkflow, type JobRecord, quietJobs } from '@perdure/store/read';
import { expireAgents, type Recorder } from '@perdure/store/record';
import { markStarted } from '@perdure/store/submit';
import { getClient, log } from '@temporalio/activity';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import pLimit from 'p-limit';
import type { HousekeepingActivities } from './contract.ts';
import { reconcile } from './reconcile.ts';

export type HousekeepingDeps = {
  db: Database;
  recorder: Recorder;
  startOptions(id: string, start: JobStart): WorkflowStartOptions;
  /** A job without a workflow is started when it is so old: before that, the submit itself is still at it. */
  startAfterMs: number;
  /** A job of which nothing was heard for so long is compared with Temporal. */
  quietAfterMs: number;
  /** An agent that was silent for so long is offline. */
  agentSilentMs: number;
};

/** Jobs looked at in one round, of each kind. */
const perRound = 2_000;

/** Needs Temporal and the record, and no agent. */
export function createHousekeepingActivities(deps: HousekeepingDeps): HousekeepingActivities {
  return {
    async tidy() {
      const client = getClient();
      const started = await startForgotten(deps, client);
      const closed = await compareQuiet(deps, client);
      const agentsExpired = await expireAgents(deps.db, deps.agentSilentMs);
      return { started, closed, agentsExpired };
    },
  };
}

/** Starts what was accepted while Temporal was away. Idempotent: the id of the job is the id of the workflow. */
async function startForgotten(
  { db, startOptions, startAfterMs }: HousekeepingDeps,
  client: Client,
): Promise<number> {
  const jobs = await createdWithoutWorkflow(db, startAfterMs, perRound);
  for (const { id, start } of jobs) {
    await client.workflow.start('job', startOptions(id, start)).catch((failure: unknown) => {
      if (!(failure instanceof WorkflowExecutionAlreadyStartedError)) throw failure;
    });
    await markStarted(db, id);
  }
  return jobs.length;
}

/** Holds quiet jobs against Temporal, and writes the truth where it differs. */
async function compareQuiet(
  { db, recorder, quietAfterMs }: HousekeepingDeps,
  client: Client,
): Promise<number> {
  const jobs = await quietJobs(db, quietAfterMs, perRound);
  const few = pLimit(10);
  const compare = async (job: JobRecord) =>
    reconcile(db, recorder, client, job).catch((failure: unknown) => {
      // One job that cannot be looked at must not keep the others from it; it comes round again.
      log.warn('a quiet job could not be compared with Temporal', {
        jobId: job.id,
        failure: String(failure),
      });
      return false;
    });
  const changed = await Promise.all(jobs.map((job) => few(compare, job)));
  return changed.filter(Boolean).length;
}
