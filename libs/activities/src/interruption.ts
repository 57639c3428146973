import { jobError } from '@perdure/job/errors';
import type { Database } from '@perdure/store/database';
import { reportFailure } from '@perdure/store/report';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { HeldJob } from './held-job.ts';
import { tell, tellOfPauses } from './operators.ts';

/** Record and workflow are told what an operator did, if they can be within this time: nothing depends on it. */
const tellMs = 5_000;

/**
 * How a stage ends that is to end because an operator has paused or reset its activity in Temporal; its process is gone then. For Temporal
 * it is a try that failed: the next comes here, in the same attempt, when the operator has it so. Where the policy has no other try the
 * workflow takes it for given back. Undefined when the stage is to end for another reason.
 */
export async function interruptionOf(db: Database, job: HeldJob): Promise<ApplicationFailure | undefined> {
  const { info, client, cancellationDetails: why } = Context.current();
  if (!why || why.cancelRequested || why.workerShutdown) return undefined;
  if (!why.paused && !why.reset && !why.notFound) return undefined;
  // The next try may begin as soon as Temporal hears of the end of this one.
  await job.session?.kill();
  job.session = undefined;
  const how = why.paused ? 'paused' : 'reset';
  const failure = ApplicationFailure.retryable(
    `the activity ${info.activityId} was ${how} in Temporal`,
    'stage-interrupted',
  );
  // The activity's own signal, which is aborted, would end the calls.
  return client.withAbortSignal(AbortSignal.timeout(tellMs), async () => {
    // A reset counts tries from one, so that the answer of a later one is not known any more. By its id the activity can still be ended.
    if (why.notFound && !(await endById(failure))) return undefined;
    await tellWhat(db, job, how);
    return failure;
  });
}

/** False when there is no such activity any more: the attempt is over. */
function endById(failure: ApplicationFailure): Promise<boolean> {
  const { info, client } = Context.current();
  const { workflowId = '', runId } = info.workflowExecution ?? {};
  return client.activity.fail({ workflowId, runId, activityId: info.activityId }, failure).then(
    () => true,
    () => false,
  );
}

async function tellWhat(
  db: Database,
  { request: { jobId, attempt } }: HeldJob,
  how: 'paused' | 'reset',
): Promise<void> {
  const { info, client } = Context.current();
  const { activityId } = info;
  const detail =
    how === 'paused'
      ? `The activity ${activityId} is paused in Temporal; it goes on once it is unpaused there`
      : `The activity ${activityId} was reset in Temporal`;
  await Promise.allSettled([
    reportFailure(db, jobId, attempt, {
      error: jobError('stage-interrupted', detail),
      nextAttemptAt: null,
      tryNumber: info.attempt,
    }),
    how === 'paused'
      ? tellOfPauses(client, jobId)
      : tell(client, client.workflow.getHandle(jobId), String(info.currentAttemptScheduledTimestampMs), {
          activityId,
          how,
        }),
  ]);
}
