import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '../../../tests/support/wait.ts';
import { historyQuery, statusQuery } from './messages.ts';
import { aClaim, openStageSet, silent, type StageSet, untilCanceled } from './testing/stage-set.ts';
import { watchJobs } from './testing/watch-jobs.ts';

let set: StageSet;
const { nativeStatus, reaches, start, stateOf, statusesOf, typesOf } = watchJobs(() => set);

beforeAll(async () => {
  set = await openStageSet();
  await set.agent('good', undefined);
  await set.agent('waiting', 'waiting', { execute: untilCanceled });
  await set.agent('second', 'second');
});
afterAll(() => set.close());

describe('an ordinary job', () => {
  test('goes through every status in order, and its events count without gaps', async () => {
    const handle = await start();
    expect(await handle.result()).toEqual({ output: { echo: {} }, files: [], resultFile: null });
    expect(statusesOf(handle)).toEqual([
      'CREATED',
      'PENDING',
      'CLAIMED',
      'VALIDATING',
      'RUNNING',
      'UPLOADING',
      'COMPLETED',
    ]);
    expect(set.eventsOf(handle.workflowId).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const times = set.eventsOf(handle.workflowId).map(({ at }) => at);
    expect([...times].sort()).toEqual(times);
  });

  test('costs a bounded number of history events', async () => {
    const handle = await start({ function: 'echo', version: '1.0.0', admitted: true });
    await handle.result();
    const { events } = await handle.fetchHistory();
    expect(events?.length).toBeLessThanOrEqual(23);
  });

  test('answers the queries status and history also when it is over', async () => {
    const handle = await start();
    await handle.result();
    expect(await handle.query(statusQuery)).toMatchObject({
      status: 'COMPLETED',
      attempt: 1,
      agentId: 'good',
      seq: 7,
    });
    expect(await handle.query(historyQuery)).toHaveLength(7);
  });
});

describe('cancel', () => {
  test('of a job that no agent serves ends it at once', async () => {
    const handle = await start({ function: 'echo', pool: 'nobody' });
    await reaches(handle, 'PENDING');
    await handle.signal('cancel', { reason: 'not needed', by: 'ann' });
    await expect(handle.result()).rejects.toThrow();
    expect(typesOf(handle)).toEqual(['created', 'queued', 'cancelRequested', 'canceled']);
    expect(stateOf(handle)).toMatchObject({
      status: 'CANCELED',
      error: { code: 'canceled', detail: 'canceled by ann: not needed' },
    });
    expect(await nativeStatus(handle)).toBe('CANCELLED');
  });

  test('of a running job waits for the agent to stop', async () => {
    const handle = await start({ function: 'echo', pool: 'waiting' });
    await reaches(handle, 'RUNNING');
    await handle.signal('cancel');
    await expect(handle.result()).rejects.toThrow();
    expect(set.eventsOf(handle.workflowId).at(-1)).toMatchObject({
      type: 'canceled',
      data: { forced: false },
    });
  });

  test('from the Temporal UI does the same as the signal', async () => {
    const handle = await start({ function: 'echo', pool: 'waiting' });
    await reaches(handle, 'RUNNING');
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    expect(statusesOf(handle).slice(-2)).toEqual(['RUNNING', 'CANCELED']);
    expect(await nativeStatus(handle)).toBe('CANCELLED');
  });

  test('gives up on an agent that does not answer, after the grace time', async () => {
    await set.agent('deaf', 'deaf', {
      claim: () => Promise.resolve(aClaim('deaf', { leaseMs: 60_000 })),
      execute: silent,
    });
    const handle = await start({ function: 'echo', pool: 'deaf' });
    await reaches(handle, 'RUNNING');
    await handle.signal('cancel', { graceSeconds: 60 });
    await waitFor(() => typesOf(handle).includes('cancelRequested'), { what: 'the request' });
    // A second, harder cancel shortens the wait.
    await handle.signal('cancel', { mode: 'force' });
    await expect(handle.result()).rejects.toThrow();
    expect(set.eventsOf(handle.workflowId).at(-1)).toMatchObject({
      type: 'canceled',
      data: { forced: true },
    });
  });
});

describe('reassign', () => {
  test('of a waiting job moves it to another pool', async () => {
    const handle = await start({ function: 'echo', pool: 'nobody' });
    await reaches(handle, 'PENDING');
    await handle.signal('reassign', { pool: 'second', by: 'ann', reason: 'nobody there' });
    await handle.result();
    expect(typesOf(handle).slice(0, 4)).toEqual(['created', 'queued', 'reassigned', 'claimed']);
    expect(stateOf(handle)).toMatchObject({ agentId: 'second', attempt: 1 });
  });

  test('of a running job stops the old agent and raises the attempt', async () => {
    const handle = await start({ function: 'echo', pool: 'waiting' });
    await reaches(handle, 'RUNNING');
    await handle.signal('reassign', { agentId: 'second' });
    await handle.result();
    expect(stateOf(handle)).toMatchObject({ agentId: 'second', assignedAgentId: 'second', attempt: 2 });
    const reassigned = set.eventsOf(handle.workflowId).find(({ type }) => type === 'reassigned');
    expect(reassigned?.data).toEqual({
      from: { agentId: 'waiting', pool: 'waiting' },
      to: { agentId: 'second', pool: null },
      acknowledgedAt: expect.any(String),
    });
  });

  test('is refused, visibly, while the result is uploaded', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    await set.agent('uploader', 'uploader', {
      execute: async () => ({ executedAt: new Date().toISOString(), outcome: null }),
      upload: () => gate.then(() => ({ output: {}, files: [], resultFile: null })),
    });
    const handle = await start({ function: 'echo', pool: 'uploader' });
    await reaches(handle, 'UPLOADING');
    await handle.signal('reassign', { anyone: true });
    await waitFor(() => typesOf(handle).includes('commandRefused'), { what: 'the refusal' });
    release();
    await handle.result();
    expect(set.eventsOf(handle.workflowId).find(({ type }) => type === 'commandRefused')?.message).toContain(
      'UPLOADING',
    );
  });

  test('thirty times keeps every history bounded by continuing as new', async () => {
    const handle = await start({ function: 'echo', pool: 'nobody', historyEvents: 60 });
    await reaches(handle, 'PENDING');
    for (let round = 0; round < 30; round++) {
      await handle.signal('reassign', { pool: `nobody-${round}` });
      await waitFor(() => typesOf(handle).filter((type) => type === 'reassigned').length === round + 1, {
        what: `round ${round}`,
      });
    }
    await handle.signal('reassign', { anyone: true });
    await set.client.workflow.getHandle(handle.workflowId).result();
    const events = set.eventsOf(handle.workflowId);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const { events: history } = await set.client.workflow.getHandle(handle.workflowId).fetchHistory();
    expect(history?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId).toBeTruthy();
    expect(history?.length).toBeLessThan(90);
    const { searchAttributes } = await set.client.workflow.getHandle(handle.workflowId).describe();
    expect(searchAttributes['JobFunction']).toEqual(['echo@1.0.0']);
  });
});
