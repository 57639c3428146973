import { describe, expect, test } from '@jest/globals';
import { isHeld, isTerminal, type Status, statuses } from './status.ts';
import { type EventType, eventTypes, transition } from './transitions.ts';

// The card of the states, written down a second time and by hand: rows are events, a dash is a refusal.
const card: Record<EventType, Partial<Record<Status, Status>>> = {
  created: {},
  queued: { CREATED: 'PENDING' },
  claimed: { PENDING: 'CLAIMED' },
  validationStarted: { CLAIMED: 'VALIDATING' },
  validated: { VALIDATING: 'RUNNING' },
  executed: { RUNNING: 'UPLOADING' },
  uploaded: { UPLOADING: 'COMPLETED' },
  reassigned: {
    ...{ CREATED: 'CREATED', PENDING: 'PENDING' },
    ...{ CLAIMED: 'PENDING', VALIDATING: 'PENDING', RUNNING: 'PENDING' },
  },
  agentLost: { CLAIMED: 'PENDING', VALIDATING: 'PENDING', RUNNING: 'PENDING', UPLOADING: 'PENDING' },
  givenBack: { CLAIMED: 'PENDING', VALIDATING: 'PENDING', RUNNING: 'PENDING', UPLOADING: 'PENDING' },
  reset: {
    ...{ CREATED: 'CREATED', PENDING: 'PENDING', CLAIMED: 'PENDING' },
    ...{ VALIDATING: 'PENDING', RUNNING: 'PENDING', UPLOADING: 'PENDING' },
  },
  canceled: {
    ...{ CREATED: 'CANCELED', PENDING: 'CANCELED', CLAIMED: 'CANCELED' },
    ...{ VALIDATING: 'CANCELED', RUNNING: 'CANCELED', UPLOADING: 'CANCELED' },
  },
  failed: {
    ...{ CREATED: 'FAILED', PENDING: 'FAILED', CLAIMED: 'FAILED' },
    ...{ VALIDATING: 'FAILED', RUNNING: 'FAILED', UPLOADING: 'FAILED' },
  },
  cancelRequested: {
    ...{ CREATED: 'CREATED', PENDING: 'PENDING', CLAIMED: 'CLAIMED' },
    ...{ VALIDATING: 'VALIDATING', RUNNING: 'RUNNING', UPLOADING: 'UPLOADING' },
  },
  reassignRequested: { PENDING: 'PENDING', CLAIMED: 'CLAIMED', VALIDATING: 'VALIDATING', RUNNING: 'RUNNING' },
  commandRefused: {
    ...{ CREATED: 'CREATED', PENDING: 'PENDING', CLAIMED: 'CLAIMED' },
    ...{ VALIDATING: 'VALIDATING', RUNNING: 'RUNNING', UPLOADING: 'UPLOADING' },
  },
  interrupted: {
    ...{ CREATED: 'CREATED', PENDING: 'PENDING', CLAIMED: 'CLAIMED' },
    ...{ VALIDATING: 'VALIDATING', RUNNING: 'RUNNING', UPLOADING: 'UPLOADING' },
  },
};

const pairs = statuses.flatMap((status) => eventTypes.map((event) => [status, event] as const));

describe('every status and every event', () => {
  test.each(pairs)('%s and %s do what the card says', (status, event) => {
    const expected = card[event][status];
    const next = transition(status, event);
    if (expected === undefined)
      expect(next).toEqual({ refused: true, reason: expect.stringContaining(status) });
    else expect(next).toEqual({ refused: false, status: expected });
  });

  test.each(eventTypes)('%s makes a job only if it is `created`', (event) => {
    expect(transition(null, event).refused).toBe(event !== 'created');
  });
});

test('nothing leads out of a terminal status', () => {
  for (const status of statuses.filter(isTerminal)) {
    for (const event of eventTypes) expect(transition(status, event).refused).toBe(true);
  }
});

test('the held statuses are those in which an agent can be lost', () => {
  for (const status of statuses) expect(isHeld(status)).toBe(!transition(status, 'agentLost').refused);
});
