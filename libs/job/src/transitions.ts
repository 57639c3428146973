import { type Status, statuses } from './status.ts';

/** What can happen to a job. Past facts; the wire name equals the identifier. */
export const eventTypes = [
  'created',
  'queued',
  'claimed',
  'validationStarted',
  'validated',
  'executed',
  'uploaded',
  'reassigned',
  'agentLost',
  'givenBack',
  'reset',
  'canceled',
  'failed',
  'cancelRequested',
  'reassignRequested',
  'commandRefused',
  'interrupted',
] as const;

export type EventType = (typeof eventTypes)[number];

type Row = { from: readonly Status[]; to: Status | 'same' | 'queue' };

const nonTerminal = ['CREATED', 'PENDING', 'CLAIMED', 'VALIDATING', 'RUNNING', 'UPLOADING'] as const;

/**
 * The one table of the states. `same` means that the fact is kept and the status stays; `queue` that the job waits for an agent again, or
 * still for the time that it is due.
 */
export const transitionTable: Record<EventType, Row> = {
  created: { from: [], to: 'CREATED' },
  queued: { from: ['CREATED'], to: 'PENDING' },
  claimed: { from: ['PENDING'], to: 'CLAIMED' },
  validationStarted: { from: ['CLAIMED'], to: 'VALIDATING' },
  validated: { from: ['VALIDATING'], to: 'RUNNING' },
  executed: { from: ['RUNNING'], to: 'UPLOADING' },
  uploaded: { from: ['UPLOADING'], to: 'COMPLETED' },
  reassigned: { from: ['CREATED', 'PENDING', 'CLAIMED', 'VALIDATING', 'RUNNING'], to: 'queue' },
  agentLost: { from: ['CLAIMED', 'VALIDATING', 'RUNNING', 'UPLOADING'], to: 'PENDING' },
  givenBack: { from: ['CLAIMED', 'VALIDATING', 'RUNNING', 'UPLOADING'], to: 'PENDING' },
  reset: { from: nonTerminal, to: 'queue' },
  canceled: { from: nonTerminal, to: 'CANCELED' },
  failed: { from: nonTerminal, to: 'FAILED' },
  cancelRequested: { from: nonTerminal, to: 'same' },
  reassignRequested: { from: ['PENDING', 'CLAIMED', 'VALIDATING', 'RUNNING'], to: 'same' },
  commandRefused: { from: nonTerminal, to: 'same' },
  interrupted: { from: nonTerminal, to: 'same' },
};

export type Refusal = { refused: true; reason: string };
export type Transition = { refused: false; status: Status };

/**
 * What becomes of a job in `from` when `event` happens.
 * `from: null` is a job that does not exist yet; only `created` applies to it.
 */
export function transition(from: Status | null, event: EventType): Transition | Refusal {
  const row = transitionTable[event];
  if (from === null) {
    if (event === 'created') return { refused: false, status: 'CREATED' };
    return { refused: true, reason: `'${event}' cannot happen to a job that does not exist` };
  }
  if (!row.from.includes(from)) {
    return { refused: true, reason: `'${event}' cannot happen to a job that is ${from}` };
  }
  return { refused: false, status: destination(from, row.to) };
}

function destination(from: Status, to: Row['to']): Status {
  if (to === 'same') return from;
  if (to === 'queue') return from === 'CREATED' ? from : 'PENDING';
  return to;
}

/** Every status that `event` may happen in. */
export function statusesBefore(event: EventType): readonly Status[] {
  return statuses.filter((status) => !transition(status, event).refused);
}

const steps = [
  { type: 'validationStarted', to: 'VALIDATING' },
  { type: 'validated', to: 'RUNNING' },
  { type: 'executed', to: 'UPLOADING' },
  { type: 'uploaded', to: 'COMPLETED' },
] as const satisfies readonly { type: EventType; to: Status }[];

/** The events that lead a job that an agent holds from one status to a later one; none when it is there or beyond. */
export function stepsBetween(from: Status, to: Status): (typeof steps)[number]['type'][] {
  const [done, wanted] = [from, to].map((status) => steps.findIndex((step) => step.to === status));
  return steps.slice((done ?? -1) + 1, (wanted ?? -1) + 1).map(({ type }) => type);
}
