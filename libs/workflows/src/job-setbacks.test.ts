import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { aClaim, executed, openStageSet, silent, type StageSet, untilCanceled } from './testing/stage-set.ts';
import { watchJobs } from './testing/watch-jobs.ts';

let set: StageSet;
const { failureOf, nativeStatus, start, stateOf, statusesOf, typesOf } = watchJobs(() => set);

beforeAll(async () => {
  set = await openStageSet();
  await set.agent('waiting', 'waiting', { execute: untilCanceled });
});
afterAll(() => set.close());

describe('a lost agent', () => {
  test('costs an attempt, and the job goes on elsewhere', async () => {
    let first = true;
    await set.agent('mortal', 'mortal', {
      claim: () => Promise.resolve(aClaim('mortal', { leaseMs: 500 })),
      execute: async () => {
        if (!first) return executed();
        first = false;
        return silent();
      },
    });
    const handle = await start({ function: 'echo', pool: 'mortal' });
    await handle.result();
    expect(stateOf(handle)).toMatchObject({ attempt: 2, agentLosses: 1 });
    expect(typesOf(handle)).toContain('agentLost');
  });

  test('is one too many after the bound', async () => {
    await set.agent('poisoned', 'poisoned', {
      claim: () => Promise.resolve(aClaim('poisoned', { leaseMs: 300 })),
      execute: silent,
    });
    const handle = await start({ function: 'echo', pool: 'poisoned', maxAgentLosses: 1 });
    expect(await failureOf(handle)).toBe('agent-lost');
    expect(stateOf(handle)).toMatchObject({ status: 'FAILED', attempt: 2, error: { code: 'agent-lost' } });
    expect(await nativeStatus(handle)).toBe('FAILED');
  });

  test('that gives the job back costs no loss', async () => {
    let times = 0;
    await set.agent('leaving', 'leaving', {
      execute: async () => {
        if (times++ < 1) throw ApplicationFailure.nonRetryable('the agent is shutting down', 'given-back');
        return executed();
      },
    });
    const handle = await start({ function: 'echo', pool: 'leaving' });
    await handle.result();
    expect(stateOf(handle)).toMatchObject({ attempt: 2, agentLosses: 0 });
  });
});

describe('failures', () => {
  test('invalid parameters end the job in VALIDATING, without a second try', async () => {
    const error = { code: 'invalid-parameters', title: 't', detail: '/to: must be a number' } as const;
    await set.agent('strict', 'strict', {
      claim: () => Promise.resolve(aClaim('strict', { verdict: { kind: 'invalid', error } })),
    });
    const handle = await start({ function: 'echo', pool: 'strict' });
    expect(await failureOf(handle)).toBe('invalid-parameters');
    expect(statusesOf(handle)).toEqual(['CREATED', 'PENDING', 'CLAIMED', 'VALIDATING', 'FAILED']);
  });

  test('a function is tried again by its own policy', async () => {
    let tries = 0;
    await set.agent('flaky', 'flaky', {
      claim: () =>
        Promise.resolve(
          aClaim('flaky', {
            retry: {
              maximumAttempts: 3,
              initialIntervalMs: 10,
              backoffCoefficient: 1,
              maximumIntervalMs: 10,
            },
          }),
        ),
      execute: async () => {
        tries++;
        throw ApplicationFailure.retryable('no luck', 'execution-failed', [
          { pointer: 'line 3', detail: 'odd' },
        ]);
      },
    });
    const handle = await start({ function: 'echo', pool: 'flaky' });
    expect(await failureOf(handle)).toBe('execution-failed');
    expect(tries).toBe(3);
    expect(stateOf(handle).error).toMatchObject({
      code: 'execution-failed',
      detail: 'no luck',
      errors: [{ pointer: 'line 3', detail: 'odd' }],
    });
  });

  test.each([
    ['queue-time-limit', { pool: 'nobody', limits: { queueSeconds: 0.3 } }],
    ['total-time-limit', { pool: 'nobody', limits: { totalSeconds: 0.3 } }],
    ['run-time-limit', { pool: 'waiting', limits: { runSeconds: 0.3 } }],
    ['total-time-limit', { pool: 'waiting', limits: { totalSeconds: 1 } }],
  ])('%s ends a job that takes longer than %j', async (code, more) => {
    const handle = await start({ function: 'echo', ...more });
    expect(await failureOf(handle)).toBe(code);
    expect(stateOf(handle)).toMatchObject({ status: 'FAILED', error: { code } });
  });

  test.each([
    ['nothing', null],
    ['a text', 'echo'],
    ['no function', {}],
    ['an unknown field', { function: 'echo', colour: 'red' }],
    ['a bad limit', { function: 'echo', limits: { runSeconds: -1 } }],
  ])('a start argument that is %s ends as a recorded FAILED job', async (_, argument) => {
    const handle = await start(argument);
    expect(await failureOf(handle)).toBe('invalid-start');
    expect(stateOf(handle)).toMatchObject({ status: 'FAILED', error: { code: 'invalid-start' } });
  });
});
