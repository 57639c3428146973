import type { CancelCommand } from '@perdure/job/commands';
import { jobError, type JobError } from '@perdure/job/errors';
import type { Outcome } from '@perdure/job/event';
import {
  ApplicationFailure,
  CancelledFailure,
  getExternalWorkflowHandle,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Fact } from './ledger.ts';
import type { Canceling, Life } from './life.ts';
import { searchAttributes } from './search-attributes.ts';

export async function complete(life: Life, outcome: Outcome, ...before: Fact[]): Promise<Outcome> {
  await end(life, ...before, { type: 'uploaded', change: { outcome, ...ended() } });
  return outcome;
}

export async function fail(life: Life, error: JobError): Promise<never> {
  await end(life, { type: 'failed', code: error.code, message: error.detail, change: { error, ...ended() } });
  throw ApplicationFailure.create({ type: error.code, message: error.detail, nonRetryable: true, details: [error] });
}

/** A job that is canceled ends as a canceled workflow, whichever way the cancel came. */
export async function cancel(life: Life, { command, forced }: Canceling): Promise<never> {
  const error = jobError('canceled', describe(command));
  await end(life, {
    type: 'canceled',
    code: 'canceled',
    actor: command.by ?? 'unknown',
    message: command.reason,
    data: { forced },
    change: { error, ...ended() },
  });
  if (!life.inbox.nativelyCanceled()) await getExternalWorkflowHandle(workflowInfo().workflowId).cancel();
  throw new CancelledFailure(error.detail);
}

/** The last fact, and before it an answer to every command that came too late. */
async function end(life: Life, ...facts: Fact[]): Promise<void> {
  const late: Fact[] = [];
  for (let command = life.inbox.take(); command !== undefined; command = life.inbox.take()) {
    const message = command.kind === 'refused' ? command.message : `${command.kind}: the job was already ending`;
    late.push({ type: 'commandRefused', code: 'transition-refused', message });
  }
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
