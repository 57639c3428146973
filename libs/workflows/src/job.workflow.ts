import type { AgentActivities, ClaimAnswer, OrchestratorActivities } from '@perdure/activities';
import { jobError } from '@perdure/job/errors';
import type { Outcome } from '@perdure/job/event';
import { claimQueueOf, stageQueue } from '@perdure/job/queues';
import { defaultRunSeconds, type JobStart } from '@perdure/job/start';
import type { Bid, Grant } from '@perdure/job/holds';
import {
  ActivityCancellationType,
  type ActivityOptions,
  CancellationScope,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  type RetryPolicy,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { cancel, complete, fail } from './endings.ts';
import { openInbox } from './inbox.ts';
import { heldOverHttp } from './hold.ts';
import { interruptible } from './interruptible.ts';
import { openLedger } from './ledger.ts';
import { BackInQueue } from './back-in-queue.ts';
import { Canceling, Failing, type Life } from './life.ts';
import { historyQuery, statusQuery } from './messages.ts';
import { open, type Opening } from './opening.ts';
import type { Question } from './questions.ts';
import { searchAttributes } from './search-attributes.ts';
import { requireOutcome } from './outcomes.ts';
import { claimFailed, dealWith, timeLeft } from './setbacks.ts';
import { priorityOf, searchAttributesOf } from './start.ts';

// Timeouts and retries: all of them.

/** A claim is a short talk with an agent. One that does not answer is asked again, or another is. */
const claimOptions = {
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
} satisfies ActivityOptions;

/** A lost agent shows as a timeout: it is for the job to go elsewhere then, not for Temporal to try the same agent again. */
const lostAgent = ['TemporalTimeout:Heartbeat'];
const validateRetry: RetryPolicy = {
  maximumAttempts: 2,
  initialInterval: '1 second',
  nonRetryableErrorTypes: lostAgent,
};
/** A result that took hours is not given up because the storage is away for a minute. */
const uploadRetry: RetryPolicy = {
  maximumAttempts: 8,
  initialInterval: '1 second',
  maximumInterval: '30 seconds',
  nonRetryableErrorTypes: lostAgent,
};

/** An HTTP agent that falls silent has lost the job: nobody else could take up what it began. */
const holdOptions = {
  retry: { maximumAttempts: 1 },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions;

/** Admission and record are local and quick. While PostgreSQL is away the server does the waiting, so that the history does not grow. */
const { admit: admitNow, record: recordNow } = proxyLocalActivities<OrchestratorActivities>({
  startToCloseTimeout: '2 seconds',
  scheduleToCloseTimeout: '3 seconds',
  retry: { maximumAttempts: 2, initialInterval: '50 milliseconds' },
});
const { admit: admitEventually, record: recordEventually } = proxyActivities<OrchestratorActivities>({
  startToCloseTimeout: '15 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '5 seconds' },
});

type Claim = Extract<ClaimAnswer, { kind: 'claimed' }>;
/** Who has the job: an agent that answered its claim, or an HTTP agent that bid for it. */
type Taken = Claim | { kind: 'bid'; bid: Question<Bid, Grant> };

/**
 * One job: claim, validate, execute, upload, as often as agents are lost or changed. Takes a `JobStart` (see `parseStart`), returns the
 * outcome; a failed job is a workflow that failed with the job's error code as type, a canceled job a canceled workflow.
 */
export async function job(argument: unknown): Promise<Outcome> {
  const opening = open(argument);
  const { runId: id, continuedFromExecutionRunId: continuedFrom = null } = workflowInfo();
  const ledger = openLedger(
    opening.start,
    opening,
    { id, continuedFrom },
    {
      record: (entry) => recordNow(entry).catch(() => recordEventually(entry)),
      recordDurably: recordEventually,
    },
  );
  const inbox = openInbox(opening.waiting, () => ledger.state);
  setHandler(statusQuery, () => ledger.state);
  setHandler(historyQuery, () => [...ledger.events]);
  // A cancel from the UI must not cut off an activity or a record: it is a command in the inbox like any other.
  return CancellationScope.nonCancellable(() => live({ start: opening.start, ledger, inbox }, opening));
}

async function live(life: Life, opening: Opening): Promise<Outcome> {
  try {
    if (life.ledger.state.status === 'CREATED') {
      life.start = await admitted(life, opening);
      await due(life);
      await queued(life);
    }
    for (;;) {
      const outcome = await attempt(life);
      if (outcome !== 'again') return outcome;
      await startAfreshIfLong(life);
    }
  } catch (end) {
    if (end instanceof Canceling) return cancel(life, end);
    if (end instanceof Failing) return fail(life, end.error);
    throw end;
  }
}

/** A start that did not come through the API is checked first. */
async function admitted(life: Life, { refused }: Opening): Promise<JobStart> {
  const { start } = life;
  if (refused === undefined && start.admitted) return start;
  const error = jobError('invalid-start', refused ?? '');
  const admission =
    refused === undefined
      ? await admitNow(start).catch(() => admitEventually(start))
      : ({ admitted: false, error } as const);
  if (!admission.admitted) {
    await queued(life);
    throw new Failing(admission.error);
  }
  upsertSearchAttributes(searchAttributesOf(admission.start));
  return admission.start;
}

/** A job for later stays CREATED until then, and open to commands. */
async function due(life: Life): Promise<void> {
  const at = Date.parse(life.start.notBefore ?? '');
  // Of a direct start the record knows nothing yet.
  if (at > Date.now()) await life.ledger.apply();
  while (at > Date.now()) {
    await interruptible(() => sleep(at - Date.now(), { summary: 'notBefore' }), life).catch(whenReassigned);
    await startAfreshIfLong(life);
  }
}

/** A job that waits for its time, and not for an agent, goes on waiting. */
function whenReassigned(setback: unknown): void {
  if (!(setback instanceof BackInQueue)) throw setback;
}

/** From CREATED to PENDING. */
async function queued({ start, ledger }: Life): Promise<void> {
  const change = { queuedAt: new Date().toISOString(), functionVersion: start.version ?? null };
  await ledger.apply({ type: 'queued', change });
}

/** One way from the queue to the end, on one agent. */
async function attempt(life: Life): Promise<Outcome | 'again'> {
  try {
    const claim = await claimed(life);
    if (claim.kind === 'bid') return await heldOverHttp(life, claim.bid, holdOptions);
    await validated(life, claim);
    const { outcome, executedAt } = await stage(life, claim, 'execute');
    const executed = { type: 'executed', at: executedAt, actor: claim.agentId } as const;
    if (outcome !== null) return await complete(life, outcome, executed);
    await life.ledger.apply(executed);
    return await complete(life, await stage(life, claim, 'upload'));
  } catch (setback) {
    if (setback instanceof BackInQueue) return 'again';
    throw setback;
  }
}

/** Waits until an agent takes the job: from the claim queue, or by a bid. */
async function claimed(life: Life): Promise<Taken> {
  const { start, ledger, inbox } = life;
  const { jobId, attempt, pool, assignedAgentId, functionVersion, agentLosses } = ledger.state;
  const queue = claimQueueOf({
    functionName: start.function,
    functionVersion: functionVersion ?? '',
    tool: start.tool,
    operatingSystem: start.operatingSystem,
    pool: pool ?? undefined,
    agentId: assignedAgentId ?? undefined,
  });
  const { claim } = proxyActivities<AgentActivities>({
    ...claimOptions,
    taskQueue: queue,
    scheduleToCloseTimeout: timeLeft(life, start.limits.queueSeconds),
    summary: queue,
    priority: priorityOf(start),
  });
  // Nobody else is to suffer should this job be what its agents die of.
  const alone = agentLosses > 0 && agentLosses >= start.maxAgentLosses;
  const ask = (): Promise<ClaimAnswer | Taken> => claim({ jobId, attempt: attempt + 1, start, alone });
  const bids = {
    waiting: () => inbox.bids.waiting(),
    async follow() {
      const bid = inbox.bids.take();
      return bid && ({ kind: 'bid', bid } as const);
    },
  };
  try {
    for (;;) {
      const answer = await interruptible(ask, life, bids);
      if (answer.kind !== 'full') return answer;
    }
  } catch (failure) {
    return claimFailed(failure, life);
  } finally {
    inbox.bids.refuseAll('another agent has taken the job');
  }
}

/** What the agent found while it claimed; the stage itself runs only for a function that has a deeper check. */
async function validated(life: Life, claim: Claim): Promise<void> {
  const { agentId, claimedAt, checkedAt, verdict } = claim;
  const { ledger, start } = life;
  const { attempt, startedAt } = ledger.state;
  upsertSearchAttributes([
    { key: searchAttributes.status, value: 'RUNNING' },
    { key: searchAttributes.agent, value: agentId },
  ]);
  const taken = { agentId, attempt: attempt + 1, startedAt: startedAt ?? claimedAt };
  const begun = [
    { type: 'claimed', at: claimedAt, actor: agentId, change: taken },
    { type: 'validationStarted', at: claimedAt, actor: agentId },
  ] as const;
  if (verdict.kind === 'valid')
    return ledger.apply(...begun, { type: 'validated', at: checkedAt, actor: agentId });
  if (verdict.kind === 'deeper' && start.validated === true) {
    const message = `job ${start.rerunOf ?? 'of before'} has passed the check`;
    return ledger.apply(...begun, { type: 'validated', at: checkedAt, actor: agentId, message });
  }
  await ledger.apply(...begun);
  if (verdict.kind === 'invalid') throw new Failing(verdict.error);
  await stage(life, claim, 'validate');
  await ledger.apply({ type: 'validated', actor: agentId });
}

type StageAnswer<S extends 'validate' | 'execute' | 'upload'> = Awaited<ReturnType<AgentActivities[S]>>;

/** Runs one stage on the agent that claimed, under the id `<stage>-<attempt>`. */
async function stage<S extends 'validate' | 'execute' | 'upload'>(
  life: Life,
  claim: Claim,
  name: S,
): Promise<StageAnswer<S>> {
  const { start, ledger } = life;
  const { jobId, attempt } = ledger.state;
  const { maximumAttempts, initialIntervalMs, backoffCoefficient, maximumIntervalMs } = claim.retry;
  const retry = {
    validate: validateRetry,
    execute: {
      maximumAttempts,
      initialInterval: initialIntervalMs,
      backoffCoefficient,
      maximumInterval: maximumIntervalMs,
      nonRetryableErrorTypes: lostAgent,
    },
    upload: uploadRetry,
  };
  const activities = proxyActivities<AgentActivities>({
    activityId: `${name}-${attempt}`,
    taskQueue: stageQueue(claim.agentId),
    scheduleToStartTimeout: claim.leaseMs,
    heartbeatTimeout: claim.leaseMs,
    scheduleToCloseTimeout: timeLeft(life, start.limits.runSeconds ?? defaultRunSeconds),
    retry: retry[name],
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
  const run = activities[name] as (request: { jobId: string; attempt: number }) => Promise<StageAnswer<S>>;
  const answer = await interruptible(() => run({ jobId, attempt }), life).catch((failure: unknown) =>
    dealWith(failure, life),
  );
  if (name !== 'validate') requireOutcome(answer, name);
  return answer;
}

/** A job that was reassigned or lost very often goes on in a new run: a history must not grow without end. */
async function startAfreshIfLong({ start, ledger, inbox }: Life): Promise<void> {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  if (historyLength < start.historyEvents && !continueAsNewSuggested) return;
  inbox.bids.refuseAll('the workflow begins a new run: ask again');
  await continueAsNew<(opening: Opening) => Promise<Outcome>>({
    start,
    state: ledger.state,
    events: [...ledger.events],
    waiting: [...inbox.waiting()],
  });
}
