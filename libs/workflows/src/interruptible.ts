import type { ReassignCommand } from '@perdure/job/commands';
import type { JobState } from '@perdure/job/event';
import { isHeld } from '@perdure/job/status';
import { transition } from '@perdure/job/transitions';
import { CancellationScope } from '@temporalio/workflow';
import { type Command, somethingToDo } from './inbox.ts';
import type { Fact } from './ledger.ts';
import { BackInQueue, Canceling, type Life } from './life.ts';

type Stop = Extract<Command, { kind: 'cancel' | 'reassign' }>;

/**
 * Runs an activity while the job stays open to commands. A cancel or a reassign asks the agent to stop and waits for it, for the grace time and
 * `marginMs`; then it is given up on, and its attempt is fenced off.
 */
export async function interruptible<T>(work: () => Promise<T>, life: Life, marginMs: number): Promise<T> {
  const { ledger, inbox } = life;
  const scope = new CancellationScope({ cancellable: true });
  let result: { value: T } | { failure: unknown } | undefined;
  const running = scope.run(work).then(
    (value) => void (result = { value }),
    (failure: unknown) => void (result = { failure }),
  );
  const settled = () => result !== undefined;

  let stop: Stop | undefined;
  let deadline = Infinity;
  while (await somethingToDo(inbox, settled, deadline === Infinity ? undefined : left(deadline))) {
    if (settled()) break;
    const command = inbox.take();
    if (command === undefined) continue;
    const refusal = refusalOf(command, ledger.state, stop);
    if (refusal !== undefined || command.kind === 'refused') {
      await ledger.apply(refused(command, refusal ?? ''));
      continue;
    }
    stop = command;
    deadline = Math.min(deadline, Date.now() + command.command.graceSeconds * 1000 + marginMs);
    const fact = requested(command, ledger.state);
    if (fact) await ledger.apply(fact);
    scope.cancel();
  }

  if (stop === undefined) {
    await running;
    return valueOf(result);
  }
  if (stop.kind === 'cancel') throw new Canceling(stop.command, !settled());
  if (result !== undefined && 'value' in result && isHeld(ledger.state.status)) {
    await ledger.apply(refused(stop, 'the stage was finished before the agent could stop'));
    return result.value;
  }
  await ledger.apply(reassigned(stop.command, ledger.state, settled()));
  throw new BackInQueue();
}

function left(deadline: number): number {
  return Math.max(1, deadline - Date.now());
}

function valueOf<T>(result: { value: T } | { failure: unknown } | undefined): T {
  if (result !== undefined && 'value' in result) return result.value;
  throw result?.failure;
}

/** Why a command cannot be followed now. A second cancel may only be a harder one. */
function refusalOf(command: Command, state: JobState, stop: Stop | undefined): string | undefined {
  if (command.kind === 'refused') return command.message;
  if (command.kind === 'cancel') {
    const repeats = stop?.kind === 'cancel' && command.command.graceSeconds >= stop.command.graceSeconds;
    return repeats ? 'a cancel is under way already' : undefined;
  }
  if (stop !== undefined) return `a ${stop.kind} is under way already`;
  const next = transition(state.status, 'reassigned');
  return next.refused ? next.reason : undefined;
}

function refused(command: Command, reason: string): Fact {
  return {
    type: 'commandRefused',
    code: 'transition-refused',
    message: command.kind === 'refused' ? command.message : `${command.kind}: ${reason}`,
    ...(command.kind === 'refused' ? {} : { actor: command.command.by ?? 'unknown' }),
  };
}

function requested({ kind, command }: Stop, state: JobState): Fact | undefined {
  const stop = { mode: kind === 'cancel' ? command.mode : 'graceful', graceSeconds: command.graceSeconds, reason: command.reason ?? null, by: command.by ?? null } as const;
  const shared = { actor: command.by ?? 'unknown', message: command.reason, data: { graceSeconds: stop.graceSeconds, mode: stop.mode } };
  if (kind === 'cancel') {
    return { type: 'cancelRequested', ...shared, change: { stop, cancelRequestedAt: state.cancelRequestedAt ?? new Date().toISOString() } };
  }
  // Nobody holds a PENDING job, so there is nobody to ask.
  return isHeld(state.status) ? { type: 'reassignRequested', ...shared, change: { stop } } : undefined;
}

/** The new target, or for `anyone` none: neither a pool nor an agent. */
function reassigned(command: ReassignCommand, state: JobState, acknowledged: boolean): Fact {
  const { target } = command;
  const agentId = 'agentId' in target ? target.agentId : null;
  const pool = 'pool' in target ? target.pool : null;
  return {
    type: 'reassigned',
    actor: command.by ?? 'unknown',
    message: command.reason,
    data: {
      from: { agentId: state.agentId ?? state.assignedAgentId, pool: state.pool },
      to: { agentId, pool },
      ...(isHeld(state.status) ? { acknowledged } : {}),
    },
    change: { assignedAgentId: agentId, pool, agentId: null, stop: null, queuedAt: new Date().toISOString() },
  };
}

