import { isOutOfSpace } from '@perdure/functions';
import { type ErrorCode, jobError, PerdureError } from '@perdure/job/errors';
import { isHeld } from '@perdure/job/status';
import type { Database } from '@perdure/store/database';
import { getJob } from '@perdure/store/read';
import { reportFailure, reportStopDelivered } from '@perdure/store/report';
import { setTimeout as pause } from 'node:timers/promises';
import { CancelledFailure, Context } from '@temporalio/activity';
import { ApplicationFailure, type RetryPolicy } from '@temporalio/common';
import { msToNumber } from '@temporalio/common/lib/time.js';
import type { StageRequest } from './contract.ts';
import type { FunctionFailure, HeldJob, Session, Slots, Stopped } from './held-job.ts';
import { interruptionOf } from './interruption.ts';

/** The longest time between two heartbeats: a cancel reaches the agent with the answer to one. */
const maxBeatMs = 1_000;
/** What a function gets to end when the agent itself has to go at once. */
const shutdownGraceMs = 2_000;

/** What a function that was stopped said last is still to reach the record: for so long. */
const lastWordsMs = 2_000;

/** Temporal tells an activity only once to stop. Whether less time is left by now is looked up so often. */
const lookAgainMs = 1_000;

/** A stage that an operator has paused keeps its slot for so long, or until its attempt is over. */
const maxPauseMs = 24 * 3_600_000;

/** Failures outside of functions that a second try on the same agent may mend. */
const retryableCodes: readonly ErrorCode[] = ['upload-failed', 'unavailable', 'internal-error'];

/** A storage without room is tried once more; then somebody else may have more of it. */
const triesWithoutSpace = 2;

type Deps = { db: Database; slots: Slots; onUnfit(): void };

/**
 * Runs one stage of a held job: beats all the while, ends the function when Temporal says so, and turns failures into Temporal's.
 * `keeps` tells from the answer whether the job is held for a further stage.
 */
export async function runStage<T>(
  deps: Deps,
  request: StageRequest,
  work: (job: HeldJob) => Promise<T>,
  keeps: (answer: T) => boolean,
): Promise<T> {
  const { slots } = deps;
  const job = slots.find(request);
  if (job === undefined)
    throw ApplicationFailure.nonRetryable('the agent has restarted since it claimed the job', 'agent-lost');
  const context = Context.current();
  const idle = slots.busy(request);
  let nextInMs = 0;
  const beat = setInterval(() => context.heartbeat(), Math.min(maxBeatMs, job.answer.leaseMs / 3));
  const working = slots.mayRun(request).then(() => work(job));
  try {
    const answer = await Promise.race([working, context.cancelled, job.overtaken.promise]);
    if (!keeps(answer)) await slots.release(request);
    return answer;
  } catch (failure) {
    if (context.cancellationSignal.aborted) {
      const interruption = await interruptionOf(deps.db, job);
      if (interruption !== undefined) {
        nextInMs = maxPauseMs;
        throw interruption;
      }
      const killed = (await end(deps.db, job)) === 'killed';
      await Promise.race([working.catch(() => undefined), pause(lastWordsMs)]);
      await slots.release(request);
      throw context.cancellationDetails?.workerShutdown
        ? ApplicationFailure.nonRetryable('the agent is shutting down', 'given-back')
        : new CancelledFailure('the function was stopped', [{ killed }]);
    }
    // The next try begins with a process of its own.
    await job.session?.kill();
    job.session = undefined;
    const failed = await asFailure(deps.db, job, failure);
    nextInMs = msToNumber(failed.nextRetryDelay ?? 0);
    if (failed.type === 'agent-unfit') deps.onUnfit();
    if (failed.nonRetryable === true) await slots.release(request);
    throw failed;
  } finally {
    clearInterval(beat);
    idle(nextInMs);
  }
}

/** A function gets the time that it was granted; one whose attempt is over anyway is killed. */
async function end(db: Database, job: HeldJob): Promise<Stopped> {
  const { session, request } = job;
  const details = Context.current().cancellationDetails;
  const instruction = details?.cancelRequested
    ? await reportStopDelivered(db, request.jobId, request.attempt).catch(() => null)
    : null;
  if (session === undefined) return 'stopped';
  if (details?.workerShutdown) return session.stop(shutdownGraceMs);
  if (!details?.cancelRequested) return session.stop(0);
  return stop(session, instruction?.graceSeconds ?? 0, db, job);
}

/** A cancel that grants less time overtakes one that grants more; and a job that went on without this attempt grants none. */
async function stop(
  session: Session,
  graceSeconds: number,
  db: Database,
  { request }: HeldJob,
): Promise<Stopped> {
  const { jobId, attempt, start } = request;
  let granted = graceSeconds;
  const stopped = session.stop(granted * 1000);
  for (;;) {
    const how = await Promise.race([stopped, pause(lookAgainMs, undefined)]);
    if (how !== undefined) return how;
    const now = await getJob(db, start.tenantId, jobId).catch(() => undefined);
    if (now === undefined) continue;
    const ours = now.attempt === attempt && isHeld(now.status);
    const left = ours ? (now.stop?.graceSeconds ?? granted) : 0;
    if (left >= granted) continue;
    granted = left;
    void session.stop(granted * 1000);
  }
}

/** The failure for Temporal. Before another try it is noted in the record, with the time of that try. */
async function asFailure(db: Database, { request }: HeldJob, failure: unknown): Promise<ApplicationFailure> {
  const error =
    failure instanceof PerdureError
      ? failure
      : new PerdureError('internal-error', messageOf(failure), { cause: failure });
  const { info } = Context.current();
  const mayPass = isFunctionFailure(error) ? error.retryable : retryableCodes.includes(error.code);
  const noSpace = isOutOfSpace(failure);
  const tries = Math.min(info.retryPolicy?.maximumAttempts ?? 1, noSpace ? triesWithoutSpace : Infinity);
  const retryable = mayPass && info.attempt < tries;
  const waitMs = backoffMs(info.retryPolicy ?? {}, info.attempt);
  if (retryable) {
    await reportFailure(db, request.jobId, request.attempt, {
      error: jobError(error.code, error.message, error.details),
      nextAttemptAt: new Date(Date.now() + waitMs).toISOString(),
      tryNumber: info.attempt,
    }).catch(() => undefined);
  }
  return ApplicationFailure.create({
    type: noSpace && !retryable ? 'agent-unfit' : error.code,
    message: error.message,
    nonRetryable: !retryable,
    ...(retryable ? { nextRetryDelay: waitMs } : {}),
    details: [error.details],
  });
}

/** As Temporal itself would wait: told to it all the same, so that the time in the record is the time of the try. */
function backoffMs(
  { initialInterval = 1_000, backoffCoefficient = 2, maximumInterval = 60_000 }: RetryPolicy,
  tryNumber: number,
): number {
  return Math.min(
    msToNumber(maximumInterval),
    msToNumber(initialInterval) * backoffCoefficient ** (tryNumber - 1),
  );
}

function isFunctionFailure(error: PerdureError): error is FunctionFailure {
  return 'retryable' in error;
}

function messageOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}
