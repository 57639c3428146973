import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { waitFor } from '../../../tests/support/wait.ts';
import { aClaim, executed, openStageSet, type StageSet } from './testing/stage-set.ts';
import { watchJobs } from './testing/watch-jobs.ts';

let set: StageSet;
const { start, stateOf, typesOf, reaches, failureOf } = watchJobs(() => set);
type Handle = Awaited<ReturnType<typeof start>>;

beforeAll(async () => void (set = await openStageSet()));
afterAll(() => set.close());

async function pending(some: object = {}): Promise<Handle> {
  const handle = await start({ function: 'echo', pool: 'nobody', ...some });
  await reaches(handle, 'PENDING');
  return handle;
}
const claim = (handle: Handle, agentId = 'h-1', leaseMs = 60_000) =>
  handle.executeUpdate('claim', { args: [{ agentId, leaseMs }] });
const report = (handle: Handle, status: string, { agentId = 'h-1', attempt = 1 } = {}) =>
  handle.signal('report', { agentId, attempt, status });
const refusal = (update: Promise<unknown>): Promise<string> =>
  update.then(
    () => 'not refused',
    (failure: Error) => (failure.cause instanceof Error ? failure.cause.message : failure.message),
  );
const holdOf = ({ workflowId }: Handle, attempt = 1) => ({ workflowId, activityId: `hold-${attempt}` });
/** The activity begins a moment after the claim was answered. */
const complete = (handle: Handle, attempt = 1) =>
  waitFor(() => set.client.activity.complete(holdOf(handle, attempt), executed().outcome).then(() => true), {
    what: 'the hold to be completed',
  });

describe('a job that an HTTP agent claims', () => {
  test('is its alone, goes through the stages that it reports, and completes', async () => {
    const handle = await pending();
    expect(await claim(handle)).toEqual({ attempt: 1 });
    expect(await refusal(claim(handle, 'h-2'))).toBe('the job is CLAIMED');
    await report(handle, 'VALIDATING');
    await reaches(handle, 'VALIDATING');
    await report(handle, 'UPLOADING');
    await reaches(handle, 'UPLOADING');
    // What was said before is no step back, and what another agent says is none at all.
    await report(handle, 'RUNNING');
    await report(handle, 'RUNNING', { agentId: 'h-2' });
    await complete(handle);
    await handle.result();
    expect(typesOf(handle)).toEqual([
      'created',
      'queued',
      'claimed',
      'validationStarted',
      'validated',
      'executed',
      'uploaded',
    ]);
    expect(stateOf(handle)).toMatchObject({ status: 'COMPLETED', agentId: 'h-1', attempt: 1 });
  });

  test('leaves the queue: no native agent gets it any more', async () => {
    const handle = await pending({ pool: 'late' });
    await claim(handle);
    let claims = 0;
    await set.agent('late', 'late', {
      claim: () => {
        claims += 1;
        return Promise.resolve(aClaim('late'));
      },
    });
    await complete(handle);
    await handle.result();
    expect(claims).toBe(0);
  });

  test('is refused to whom it is not pinned, and in every state but PENDING', async () => {
    const handle = await pending({ assignedAgentId: 'h-7' });
    expect(await refusal(claim(handle))).toBe('the job is pinned to h-7');
    expect(await claim(handle, 'h-7')).toEqual({ attempt: 1 });
    await complete(handle);
    await handle.result();
    await expect(claim(handle, 'h-7')).rejects.toThrow();
  });

  test('goes back to the queue when the agent falls silent or gives it back, and refuses what comes late', async () => {
    const handle = await pending();
    await claim(handle, 'h-1', 1_000);
    await waitFor(() => typesOf(handle).includes('agentLost'), { what: 'the loss' });
    await expect(set.client.activity.complete(holdOf(handle), {})).rejects.toThrow();
    await report(handle, 'RUNNING');
    expect(await claim(handle, 'h-2')).toEqual({ attempt: 2 });
    const failure = ApplicationFailure.nonRetryable('closing', 'given-back');
    await waitFor(() => set.client.activity.fail(holdOf(handle, 2), failure).then(() => true), {
      what: 'the hold',
    });
    await waitFor(() => typesOf(handle).includes('givenBack'), { what: 'the job to be back' });
    expect(await claim(handle, 'h-3')).toEqual({ attempt: 3 });
    await complete(handle, 3);
    await handle.result();
    expect(stateOf(handle)).toMatchObject({ agentLosses: 1, attempt: 3 });
    expect(typesOf(handle).filter((type) => type === 'validationStarted')).toHaveLength(1);
  });

  test('may fail, and stops when it is canceled', async () => {
    const failing = await pending();
    await claim(failing);
    const failure = ApplicationFailure.nonRetryable('no such column', 'invalid-input');
    await waitFor(() => set.client.activity.fail(holdOf(failing), failure).then(() => true), {
      what: 'the hold',
    });
    expect(await failureOf(failing)).toBe('invalid-input');

    const canceled = await pending();
    await claim(canceled);
    await canceled.signal('cancel', { graceSeconds: 60 });
    await waitFor(() => typesOf(canceled).includes('cancelRequested'), { what: 'the request' });
    await report(canceled, 'RUNNING');
    await waitFor(
      () =>
        set.client.activity
          .fail(holdOf(canceled), ApplicationFailure.nonRetryable('stopped', 'given-back'))
          .then(() => true),
      { what: 'the hold' },
    );
    await waitFor(() => stateOf(canceled).status === 'CANCELED', { what: 'the end' });
    expect(stateOf(canceled)).toMatchObject({ cancelForced: false });
    expect(typesOf(canceled)).not.toContain('validationStarted');
  });
});

test('an update that makes no sense is refused, leaves nothing in the history, and harms no job', async () => {
  const handle = await pending();
  const waits = async () => ((await handle.describe()).raw.pendingActivities ?? []).length === 1;
  await waitFor(waits, { what: 'the job to wait in the queue' });
  const before = (await handle.describe()).historyLength;
  for (const [name, payload] of [
    ['claim', undefined],
    ['claim', { agentId: 'h-1' }],
    ['claim', { agentId: '../etc', leaseMs: 5_000 }],
    ['claim', { agentId: 'h-1', leaseMs: 1 }],
  ] as const) {
    expect(await refusal(handle.executeUpdate(name, { args: [payload] }))).not.toBe('not refused');
  }
  expect((await handle.describe()).historyLength).toBe(before);
  await claim(handle);
  await complete(handle);
  await handle.result();
});

test('of twenty bids at once one is granted, and no other is ever recorded', async () => {
  for (let round = 0; round < 8; round++) {
    const handle = await start({ function: 'echo', pool: 'nobody' });
    const bids = Array.from({ length: 20 }, (_, index) =>
      waitFor(
        () =>
          claim(handle, `h-${index}`).then(
            () => `h-${index}`,
            (failure: Error) => {
              // More than ten at once, and any before the job is PENDING, are for the client to repeat.
              if (failure.message.includes('limit') || stateOf(handle).status === 'CREATED') throw failure;
              return 'refused';
            },
          ),
        { what: 'an answer' },
      ),
    );
    const granted = (await Promise.all(bids)).filter((answer) => answer !== 'refused');
    expect(granted).toHaveLength(1);
    const recorded = set.records.filter(
      ({ state }) => state.jobId === handle.workflowId && state.status === 'CLAIMED',
    );
    expect([...new Set(recorded.map(({ state }) => state.agentId))]).toEqual(granted);
    await complete(handle);
    await handle.result();
  }
});
