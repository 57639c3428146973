import type { JobStart } from '@perdure/job/start';
import type { Storage } from '@perdure/storage';
import { dropLogPartitions, makeLogPartitions, type RetentionDays } from '@perdure/store/admin';
import type { Database } from '@perdure/store/database';
import { createdWithoutWorkflow } from '@perdure/store/read';
import type { Recorder } from '@perdure/store/record';
import { markStarted } from '@perdure/store/submit';
import { Context, log } from '@temporalio/activity';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import pLimit from 'p-limit';
import type { HousekeepingActivities } from './contract.ts';
import { collectBytes } from './collect-bytes.ts';
import { removeExpiredUploads } from './expired-uploads.ts';
import { purge } from './purge.ts';
import { tellOfPauses } from './operators.ts';
import { openComparison } from './quiet-jobs.ts';

export type HousekeepingDeps = {
  db: Database;
  storage: Storage;
  recorder: Recorder;
  startOptions(id: string, start: JobStart): WorkflowStartOptions;
  /** A job without a workflow is started when it is so old: before that, the submit itself is still at it. */
  startAfterMs: number;
  /** A job of which nothing was heard for so long is compared with Temporal. */
  quietAfterMs: number;
  /** Days that log lines are kept. */
  logRetentionDays: number;
  /** Days that entries of the audit log are kept. */
  auditRetentionDays: number;
  /** Bytes that were stored so long ago and that no row names are removed. */
  bytesAfterMs: number;
  /** Days that jobs are kept once they have ended, by their class. */
  retentionDays: RetentionDays;
};

/** Jobs looked at in one round, of each kind, and so many at once. */
const perRound = 2_000;
const atOnce = 10;
/** Several within the heartbeat timeout of the workflow: an orchestrator that dies must not hold up the next round. */
const beatMs = 2_000;

/** Needs Temporal and the record, and no agent. */
export function createHousekeepingActivities(deps: HousekeepingDeps): HousekeepingActivities {
  const compareQuiet = openComparison(deps);
  return {
    async tidy() {
      const context = Context.current();
      const { client } = context;
      const beat = setInterval(() => context.heartbeat(), beatMs);
      try {
        const started = await startForgotten(deps, client);
        const closed = await compareQuiet(client, countOf);
        await noticePauses(client);
        await keepLogs(deps);
        await endUploads(deps);
        await removeBytes(deps);
        await purge(deps);
        return { started, closed };
      } finally {
        clearInterval(beat);
      }
    },
  };
}

/** Starts what was accepted while Temporal was away. Idempotent: the id of the job is the id of the workflow. */
async function startForgotten(
  { db, startOptions, startAfterMs }: HousekeepingDeps,
  client: Client,
): Promise<number> {
  return countOf(await createdWithoutWorkflow(db, startAfterMs, perRound), async ({ id, start }) => {
    await client.workflow.start('job', startOptions(id, start)).catch((failure: unknown) => {
      if (!(failure instanceof WorkflowExecutionAlreadyStartedError)) throw failure;
    });
    await markStarted(db, id);
    return true;
  });
}

/** Temporal tells no workflow that an operator has paused one of its activities: so this does. */
async function noticePauses(client: Client): Promise<void> {
  const query = `WorkflowType = 'job' AND ExecutionStatus = 'Running' AND TemporalPauseInfo IS NOT NULL`;
  try {
    const paused: { id: string }[] = [];
    for await (const { workflowId: id } of client.workflow.list({ query })) {
      if (paused.push({ id }) >= perRound) break;
    }
    await countOf(paused, ({ id }) => tellOfPauses(client, id));
  } catch (failure) {
    // Servers of before this was known.
    log.debug('Temporal cannot list what is paused', { failure: String(failure) });
  }
}

/** Makes room for the lines of the days to come, and lets the old ones go. */
async function keepLogs({ db, logRetentionDays }: HousekeepingDeps): Promise<void> {
  try {
    await makeLogPartitions(db);
    const dropped = await dropLogPartitions(db, logRetentionDays);
    if (dropped.length > 0) log.info('old log lines were dropped', { dropped });
  } catch (failure) {
    // A lock that was not to be had: the next round tries again.
    log.warn('the housekeeping failed for the logs', { failure: String(failure) });
  }
}

/** A storage that is away is no reason to leave anything else undone. */
async function endUploads({ db, storage }: HousekeepingDeps): Promise<void> {
  try {
    const gone = await removeExpiredUploads(db, storage);
    if (gone > 0) log.info('uploads whose time was over were removed', { gone });
  } catch (failure) {
    log.warn('the housekeeping failed for uploads', { failure: String(failure) });
  }
}

/** Before the purge: who has just read a row that goes has a round's time to read its bytes. */
async function removeBytes({ db, storage, bytesAfterMs }: HousekeepingDeps): Promise<void> {
  try {
    const gone = await collectBytes(db, storage, bytesAfterMs);
    if (gone > 0) log.info('bytes that no row names were removed', { gone });
  } catch (failure) {
    log.warn('the housekeeping failed for bytes in storage', { failure: String(failure) });
  }
}

/** How many jobs `work` is true of. One that fails must not keep the others from their turn; it comes round again. */
async function countOf<Job extends { id: string }>(
  jobs: readonly Job[],
  work: (job: Job) => Promise<boolean>,
): Promise<number> {
  const few = pLimit(atOnce);
  const careful = (job: Job): Promise<boolean> =>
    work(job).catch((failure: unknown) => {
      log.warn('the housekeeping failed for a job', { jobId: job.id, failure: String(failure) });
      return false;
    });
  const done = await Promise.all(jobs.map((job) => few(careful, job)));
  return done.filter(Boolean).length;
}
