import type { OrchestratorActivities } from '@perdure/activities';
import type { CancelCommand } from '@perdure/job/commands';
import { jobError, type JobError } from '@perdure/job/errors';
import type { Outcome } from '@perdure/job/event';
import {
  ApplicationFailure,
  CancelledFailure,
  condition,
  proxyActivities,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { refused } from './inbox.ts';
import type { Fact } from './ledger.ts';
import type { Canceling, Life } from './life.ts';
import { searchAttributes } from './search-attributes.ts';

const { requestNativeCancel } = proxyActivities<OrchestratorActivities>({
  startToCloseTimeout: '10 seconds',
});

export async function complete(life: Life, outcome: Outcome, ...before: Fact[]): Promise<Outcome> {
  await end(life, ...before, { type: 'uploaded', change: { outcome, ...ended() } });
  return outcome;
}

export async function fail(life: Life, error: JobError): Promise<never> {
  await end(life, { type: 'failed', code: error.code, message: error.detail, change: { error, ...ended() } });
  throw ApplicationFailure.create({
    type: error.code,
    message: error.detail,
    nonRetryable: true,
    details: [error],
  });
}

/** A job that is canceled ends as a canceled workflow, whichever way the cancel came. */
export async function cancel(life: Life, { command, ending }: Canceling): Promise<never> {
  const error = jobError('canceled', describe(command));
  await end(life, {
    type: 'canceled',
    code: 'canceled',
    actor: command.by ?? 'unknown',
    message: command.reason,
    data: ending,
    change: { error, cancelForced: ending.forced, ...ended() },
  });
  if (!life.inbox.nativelyCanceled()) {
    // Temporal lets a workflow end as canceled only when it was asked to, and not by itself: so an activity asks.
    await requestNativeCancel(life.ledger.state.jobId);
    await condition(() => life.inbox.nativelyCanceled());
  }
  throw new CancelledFailure(error.detail);
}

/** The last fact, and before it an answer to every command that came too late. */
async function end(life: Life, ...facts: Fact[]): Promise<void> {
  const late: Fact[] = life.inbox.takeNotes();
  for (let command = life.inbox.take(); command !== undefined; command = life.inbox.take()) {
    late.push(refused(`${command.kind}: the job was already ending`, command));
  }
  life.inbox.bids.refuseAll('the job is ending');
  const applied = life.ledger.apply(...late, ...facts);
  upsertSearchAttributes([{ key: searchAttributes.status, value: life.ledger.state.status }]);
  await applied;
}

function ended() {
  return { endedAt: new Date().toISOString() };
}

function describe({ by, reason }: CancelCommand): string {
  return `canceled${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : `: ${reason}`}`;
}
