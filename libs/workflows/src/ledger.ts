import type { JobEvent, JobState } from '@perdure/job/event';
import type { ErrorCode } from '@perdure/job/errors';
import type { JsonObject } from '@perdure/job/json';
import type { JobStart } from '@perdure/job/start';
import { transition, type EventType } from '@perdure/job/transitions';
import { ApplicationFailure, setCurrentDetails } from '@temporalio/workflow';

/** Something that happened, and what it changes besides the status. */
export type Fact = {
  type: EventType;
  /** When, where it did not happen just now: an agent's own clock. */
  at?: string;
  /** Whom it happened to, where that is not who holds the job afterwards. */
  agentId?: string | null;
  actor?: string;
  message?: string | undefined;
  code?: ErrorCode;
  data?: JsonObject;
  change?: Partial<Omit<JobState, 'status' | 'seq' | 'jobId'>>;
};

/** So many of the newest events are kept at hand for the query `history`. */
export const keptEvents = 200;

export type Ledger = {
  readonly state: JobState;
  readonly events: readonly JobEvent[];
  /** The only way by which a job changes: transition, keep, record. Resolves when the record has it. */
  apply(...facts: Fact[]): Promise<void>;
  /**
   * The same for what an update asks for. Should Temporal repeat the workflow task, the update may not come again: so nothing of it is recorded
   * before the task is over, which is when an ordinary activity begins.
   */
  applyDurably(...facts: Fact[]): Promise<void>;
};

export type Recorder = (entry: { start: JobStart; state: JobState; events: JobEvent[] }) => Promise<void>;

export function openLedger(
  start: JobStart,
  carried: { state: JobState; events: JobEvent[] },
  { record, recordDurably }: { record: Recorder; recordDurably: Recorder },
): Ledger {
  let { state, events } = carried;
  // An ordinary start has its `created` event here, not yet recorded: the record keeps the one that the submit wrote, if it did.
  let unrecorded = events.filter((event) => event.type === 'created' && state.seq === 1);

  function keep(fact: Fact): void {
    const next = transition(state.status, fact.type);
    if (next.refused) throw ApplicationFailure.nonRetryable(next.reason, 'workflow-failed');
    const at = notBefore(events.at(-1)?.at, fact.at);
    state = { ...state, ...fact.change, status: next.status, seq: state.seq + 1 };
    const event: JobEvent = {
      seq: state.seq,
      type: fact.type,
      at,
      status: state.status,
      attempt: state.attempt,
      agentId: fact.agentId ?? state.agentId,
      actor: fact.actor ?? 'perdure',
      message: fact.message ?? null,
      code: fact.code ?? null,
      data: fact.data ?? null,
    };
    events = [...events, event].slice(-keptEvents);
    unrecorded = [...unrecorded, event];
  }

  async function applied(facts: readonly Fact[], write: Recorder): Promise<void> {
    facts.forEach(keep);
    setCurrentDetails(
      `**${state.status}**${state.agentId === null ? '' : ` on \`${state.agentId}\``}, attempt ${state.attempt}`,
    );
    const fresh = unrecorded;
    unrecorded = [];
    await write({ start, state, events: fresh });
  }

  return {
    get state() {
      return state;
    },
    get events() {
      return events;
    },
    apply: (...facts) => applied(facts, record),
    applyDurably: (...facts) => applied(facts, recordDurably),
  };
}

/** An agent's clock may be wrong: its times are taken for no later than now, and no earlier than what was before. */
function notBefore(previous: string | undefined, given: string | undefined): string {
  const now = new Date().toISOString();
  const at = given === undefined || given > now ? now : given;
  return previous !== undefined && at < previous ? previous : at;
}
