import type { ReassignCommand } from '@perdure/job/commands';
import type { JobState } from '@perdure/job/event';
import { isJsonObject } from '@perdure/job/json';
import { isHeld } from '@perdure/job/status';
import { transition } from '@perdure/job/transitions';
import { ActivityFailure, CancellationScope, CancelledFailure } from '@temporalio/workflow';
import { type Command, refused } from './inbox.ts';
import type { Fact } from './ledger.ts';
import { BackInQueue } from './back-in-queue.ts';
import { Canceling, type Life } from './life.ts';

/** How long after the grace time an agent that is to stop is waited for. */
const stopMarginMs = 5_000;

type Result<T> = { value: T } | { failure: unknown };

/** What else may come while an activity runs: questions, each of which may settle the matter in place of the activity. */
type Meanwhile<T> = { waiting(): boolean; follow(stopping: boolean): Promise<T | undefined> };

/**
 * Runs an activity while the job stays open to commands. A cancel or a reassign asks the agent to stop and waits for it, for the grace time and
 * a margin; then it is given up on, and its attempt is fenced off.
 *
 * A result that is there comes before every command: a workflow task that Temporal repeats may bring more commands than the first time, and what
 * was recorded the first time must stay true.
 */
export async function interruptible<T>(
  work: () => Promise<T>,
  life: Life,
  meanwhile?: Meanwhile<T>,
): Promise<T> {
  const { ledger, inbox } = life;
  const scope = new CancellationScope({ cancellable: true });
  let result: Result<T> | undefined;
  scope.run(work).then(
    (value) => (result = { value }),
    (failure: unknown) => (result = { failure }),
  );
  const settled = () => result !== undefined;
  const other = () => settled() || meanwhile?.waiting() === true;

  let stop: Command | undefined;
  let deadline: number | undefined;
  while (await inbox.somethingToDo(other, deadline && Math.max(1, deadline - Date.now()))) {
    if (settled()) break;
    const notes = inbox.takeNotes();
    if (notes.length > 0) await ledger.apply(...notes);
    const command = inbox.take();
    if (command === undefined) {
      const value = await meanwhile?.follow(stop !== undefined);
      if (value === undefined) continue;
      scope.cancel();
      return value;
    }
    const refusal = refusalOf(command, ledger.state, stop);
    if (refusal !== undefined) {
      await ledger.apply(refused(`${command.kind}: ${refusal}`, command));
      continue;
    }
    stop = command;
    deadline = Math.min(
      deadline ?? Infinity,
      Date.now() + command.command.graceSeconds * 1000 + stopMarginMs,
    );
    await askToStop(command, deadline, life);
    scope.cancel();
    // Nobody holds a PENDING job, so there is no answer to wait for, and no time for a further command to be taken into account.
    if (!isHeld(ledger.state.status)) break;
  }
  return stop === undefined ? valueOf(result) : stopped(stop, result, life);
}

/** The agent learns from the record how long its function may take to stop, so that comes first. */
async function askToStop({ kind, command }: Command, deadline: number, { ledger }: Life): Promise<void> {
  const { graceSeconds, reason, by } = command;
  const deadlineAt = new Date(deadline).toISOString();
  const stop = {
    mode: kind === 'cancel' ? command.mode : 'graceful',
    graceSeconds,
    deadlineAt,
    reason: reason ?? null,
    by: by ?? null,
  } as const;
  const fact = {
    actor: by ?? 'unknown',
    message: reason,
    data: { graceSeconds, mode: stop.mode, deadlineAt },
  };
  if (kind === 'cancel') {
    const cancelRequestedAt = ledger.state.cancelRequestedAt ?? new Date().toISOString();
    return ledger.apply({ type: 'cancelRequested', ...fact, change: { stop, cancelRequestedAt } });
  }
  if (isHeld(ledger.state.status))
    await ledger.apply({ type: 'reassignRequested', ...fact, change: { stop } });
}

/** The agent has stopped, or was given up on. */
async function stopped<T>(stop: Command, result: Result<T> | undefined, { ledger }: Life): Promise<T> {
  const held = isHeld(ledger.state.status);
  const acknowledgedAt = held && result !== undefined ? new Date().toISOString() : null;
  if (stop.kind === 'cancel') {
    const forced = held && (result === undefined || wasKilled(result));
    throw new Canceling(stop.command, { forced, acknowledgedAt });
  }
  if (result !== undefined && 'value' in result && held) {
    await ledger.apply(refused('reassign: the stage was finished before the agent could stop', stop));
    return result.value;
  }
  await ledger.apply(reassigned(stop.command, ledger.state, acknowledgedAt));
  throw new BackInQueue();
}

/** The agent stopped, but the function did not end by itself. */
function wasKilled(result: Result<unknown>): boolean {
  if (!('failure' in result) || !(result.failure instanceof ActivityFailure)) return false;
  const { cause } = result.failure;
  const [details] = cause instanceof CancelledFailure ? cause.details : [];
  return isJsonObject(details) && details['killed'] === true;
}

function valueOf<T>(result: Result<T> | undefined): T {
  if (result !== undefined && 'value' in result) return result.value;
  throw result?.failure;
}

/** Why a command cannot be followed now. A second cancel may only be a harder one. */
function refusalOf(command: Command, state: JobState, stop: Command | undefined): string | undefined {
  if (command.kind === 'cancel') {
    const repeats = stop?.kind === 'cancel' && command.command.graceSeconds >= stop.command.graceSeconds;
    return repeats ? 'a cancel is under way already' : undefined;
  }
  if (stop !== undefined) return `a ${stop.kind} is under way already`;
  const next = transition(state.status, 'reassigned');
  return next.refused ? next.reason : undefined;
}

/** The new target, or for `anyone` none: neither a pool nor an agent. */
function reassigned(
  { target, by, reason }: ReassignCommand,
  state: JobState,
  acknowledgedAt: string | null,
): Fact {
  const agentId = 'agentId' in target ? target.agentId : null;
  const pool = 'pool' in target ? target.pool : null;
  return {
    type: 'reassigned',
    agentId: state.agentId,
    actor: by ?? 'unknown',
    message: reason,
    data: {
      from: { agentId: state.agentId ?? state.assignedAgentId, pool: state.pool },
      to: { agentId, pool },
      ...(isHeld(state.status) ? { acknowledgedAt } : {}),
    },
    change: {
      ...{ assignedAgentId: agentId, pool, agentId: null, stop: null },
      ...(state.status === 'CREATED' ? {} : { queuedAt: new Date().toISOString() }),
    },
  };
}
