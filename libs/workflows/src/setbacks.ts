import { jobError } from '@perdure/job/errors';
import { upsertSearchAttributes } from '@temporalio/workflow';
import { setbackOf } from './failures.ts';
import { BackInQueue } from './back-in-queue.ts';
import { Canceling, Failing, type Life } from './life.ts';
import { searchAttributes } from './search-attributes.ts';

/** What a failed stage means for the job: back to the queue, or the end. Always throws. */
export async function dealWith(failure: unknown, life: Life): Promise<never> {
  if (failure instanceof BackInQueue || failure instanceof Canceling || failure instanceof Failing)
    throw failure;
  const { ledger } = life;
  const { agentId, assignedAgentId, agentLosses } = ledger.state;
  const setback = setbackOf(failure);
  switch (setback.kind) {
    case 'failed':
      throw new Failing(setback.error);
    case 'out-of-time':
      throw new Failing(timeLimit(life, 'run-time-limit', life.start.limits.runSeconds));
    case 'given-back':
      await ledger.apply({
        type: 'givenBack',
        agentId,
        actor: agentId ?? 'perdure',
        message: setback.message,
        change: requeued(),
      });
      break;
    case 'lost': {
      const losses = agentLosses + 1;
      // A pinned job has nowhere else to go: it waits for its agent to come back.
      if (losses > life.start.maxAgentLosses && assignedAgentId === null) {
        throw new Failing(
          jobError(
            'agent-lost',
            `${losses} agents were lost while they ran the job; the last, ${agentId}: ${setback.message}`,
          ),
        );
      }
      await ledger.apply({
        type: 'agentLost',
        agentId,
        code: setback.code,
        message: setback.message,
        change: { ...requeued(), agentLosses: losses },
      });
    }
  }
  throw new BackInQueue();
}

/** Nobody claimed in time, or could be asked to. Always throws. */
export function claimFailed(failure: unknown, life: Life): never {
  if (failure instanceof BackInQueue || failure instanceof Canceling) throw failure;
  const setback = setbackOf(failure);
  if (setback.kind === 'failed') throw new Failing(setback.error);
  throw new Failing(timeLimit(life, 'queue-time-limit', life.start.limits.queueSeconds));
}

/** Milliseconds that a stage may take: its own limit, or what is left of the whole life if that is less. Temporal wants at least one. */
export function timeLeft(life: Life, limitSeconds: number | undefined): number | undefined {
  const total = endOfLife(life) - Date.now();
  const least = Math.min(total, (limitSeconds ?? Infinity) * 1000);
  return least === Infinity ? undefined : Math.max(1, least);
}

/** When `totalSeconds` are over. A job that is due later is as old as if it had been accepted then. */
function endOfLife({ start, ledger }: Life): number {
  const { totalSeconds = Infinity } = start.limits;
  const accepted = Date.parse(ledger.state.createdAt);
  const due = start.notBefore === undefined ? accepted : Date.parse(start.notBefore);
  return Math.max(accepted, due) + totalSeconds * 1000;
}

function timeLimit(life: Life, code: 'queue-time-limit' | 'run-time-limit', seconds: number | undefined) {
  const { totalSeconds } = life.start.limits;
  const overall = Date.now() >= endOfLife(life);
  return overall
    ? jobError('total-time-limit', `the limit is ${totalSeconds} s`)
    : jobError(code, `the limit is ${seconds ?? 'the default'} s`);
}

function requeued() {
  upsertSearchAttributes([{ key: searchAttributes.status, value: 'PENDING' }]);
  return { agentId: null, queuedAt: new Date().toISOString() };
}
