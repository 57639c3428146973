import type { RecordEntry, Reset } from '@perdure/activities';
import type { JobEvent, JobState, Run } from '@perdure/job/event';
import type { ErrorCode } from '@perdure/job/errors';
import type { JsonObject } from '@perdure/job/json';
import type { JobStart } from '@perdure/job/start';
import { isTerminal } from '@perdure/job/status';
import { transition, type EventType } from '@perdure/job/transitions';
import { ApplicationFailure, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { BackInQueue } from './back-in-queue.ts';
import { searchAttributes } from './search-attributes.ts';

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
  /**
   * The only way by which a job changes: transition, keep, record. Resolves when the record has it. Throws `BackInQueue` when an operator has
   * reset the workflow meanwhile, and the facts are of an attempt.
   */
  apply(...facts: Fact[]): Promise<void>;
  /**
   * The same for what an update asks for. Should Temporal repeat the workflow task, the update may not come again: so nothing of it is recorded
   * before the task is over, which is when an ordinary activity begins.
   */
  applyDurably(...facts: Fact[]): Promise<void>;
};

export type Recorder = (entry: RecordEntry) => Promise<void | Reset>;

/** What an agent did before a reset is not gone on with: another attempt begins, so that no number is given twice. */
const ofAnAttempt: readonly EventType[] = [
  'claimed',
  'validationStarted',
  'validated',
  'executed',
  'uploaded',
  'agentLost',
  'givenBack',
];

export function openLedger(
  start: JobStart,
  carried: { state: JobState; events: JobEvent[] },
  run: Run,
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
    const before = { state, events };
    facts.forEach(keep);
    const reset = await written(write);
    if (reset) await goOnAfter(reset, before, facts, write);
  }

  function written(write: Recorder): Promise<void | Reset> {
    setCurrentDetails(
      `**${state.status}**${state.agentId === null ? '' : ` on \`${state.agentId}\``}, attempt ${state.attempt}`,
    );
    const fresh = unrecorded;
    unrecorded = [];
    return write({ start, state, events: fresh, run });
  }

  /** This run was made by a reset: it takes up the count where the record has it. */
  async function goOnAfter(
    reset: Reset,
    before: typeof carried,
    facts: readonly Fact[],
    write: Recorder,
  ): Promise<void> {
    const lasting = facts.filter(({ type }) => !ofAnAttempt.includes(type));
    for (let again: Reset | void = reset; again;) {
      if (isTerminal(again.status)) throw afterTheEnd(again);
      const { lastSeq: seq, attempt, by, reason } = again;
      ({ events } = before);
      state = { ...before.state, seq, attempt };
      unrecorded = [];
      const queuedAt = state.status === 'CREATED' ? null : new Date().toISOString();
      keep({
        type: 'reset',
        actor: by,
        message: reason ?? undefined,
        change: { agentId: null, stop: null, queuedAt },
      });
      lasting.forEach(keep);
      upsertSearchAttributes([{ key: searchAttributes.status, value: state.status }]);
      again = await written(write);
    }
    if (lasting.length < facts.length) throw new BackInQueue();
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

/** What has ended stays as it is: the run that a reset has made of it ends too, and says why. */
function afterTheEnd({ status }: Reset): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The job is ${status}: a reset cannot reopen it. Submit it again: POST /v1/jobs/{id}:rerun`,
    'transition-refused',
  );
}

/** An agent's clock may be wrong: its times are taken for no later than now, and no earlier than what was before. */
function notBefore(previous: string | undefined, given: string | undefined): string {
  const now = new Date().toISOString();
  const at = given === undefined || given > now ? now : given;
  return previous !== undefined && at < previous ? previous : at;
}
