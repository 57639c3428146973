import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../../tests/support/wait.ts';
import { openStageSet, type StageSet } from './testing/stage-set.ts';
import { watchJobs } from './testing/watch-jobs.ts';

let set: StageSet;
const { failureOf, nativeStatus, reaches, start, stateOf, statusesOf, typesOf } = watchJobs(() => set);

beforeAll(async () => {
  set = await openStageSet();
  await set.agent('good', undefined);
  await set.agent('second', 'second');
});
afterAll(() => set.close());

const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
const later = inMs(3_600_000);

async function waiting(some: object = {}) {
  const handle = await start({ function: 'echo', notBefore: later, ...some });
  await reaches(handle, 'CREATED');
  return handle;
}

test('a job for later is recorded at once, and claimed by nobody before its time', async () => {
  const notBefore = inMs(1_500);
  const handle = await start({ function: 'echo', notBefore });
  await reaches(handle, 'CREATED');
  expect(stateOf(handle)).toMatchObject({ status: 'CREATED', queuedAt: null });
  await handle.result();
  const [created, queued] = set.eventsOf(handle.workflowId);
  expect(created?.type).toBe('created');
  expect(queued?.type).toBe('queued');
  expect(Date.parse(queued?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(notBefore));
  expect(statusesOf(handle).at(-1)).toBe('COMPLETED');
});

test('a moment with another zone, and one that is over, are understood', async () => {
  const handle = await start({ function: 'echo', notBefore: '2026-01-01T01:00:00+02:00' });
  await handle.result();
  const { events } = await handle.fetchHistory();
  expect(events?.some(({ timerStartedEventAttributes }) => timerStartedEventAttributes)).toBe(false);
});

test('a cancel ends a job that is not due yet', async () => {
  const handle = await waiting();
  await handle.signal('cancel', { by: 'ann' });
  await expect(handle.result()).rejects.toThrow();
  expect(typesOf(handle)).toEqual(['created', 'cancelRequested', 'canceled']);
  expect(statusesOf(handle)).toEqual(['CREATED', 'CREATED', 'CANCELED']);
  expect(await nativeStatus(handle)).toBe('CANCELLED');
});

test('a cancel from the Temporal UI does the same', async () => {
  const handle = await waiting();
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  expect(stateOf(handle).status).toBe('CANCELED');
});

test('a job that is reassigned before its time goes on waiting, and then goes to where it was sent', async () => {
  const handle = await start({ function: 'echo', pool: 'nobody', notBefore: inMs(2_000) });
  await reaches(handle, 'CREATED');
  await handle.signal('reassign', { pool: 'second', by: 'ann' });
  await handle.result();
  expect(typesOf(handle).slice(0, 4)).toEqual(['created', 'reassigned', 'queued', 'claimed']);
  expect(statusesOf(handle).slice(0, 3)).toEqual(['CREATED', 'CREATED', 'PENDING']);
  expect(stateOf(handle)).toMatchObject({ agentId: 'second', pool: 'second', attempt: 1 });
});

test('what makes no sense is refused, and no HTTP agent gets the job before its time', async () => {
  const handle = await waiting();
  await handle.signal('nonsense');
  await waitFor(() => typesOf(handle).includes('commandRefused'), { what: 'the refusal' });
  const bid = handle.executeUpdate('claim', { args: [{ agentId: 'h-1', leaseMs: 60_000 }] });
  await expect(bid).rejects.toMatchObject({ cause: { message: 'the job is CREATED' } });
  await handle.signal('cancel');
  await expect(handle.result()).rejects.toThrow();
});

test('reassigned again and again before its time, it goes on in a new run', async () => {
  const handle = await waiting({ historyEvents: 30 });
  for (let round = 0; round < 20; round++) {
    await handle.signal('reassign', { pool: `nobody-${round}` });
    await waitFor(() => typesOf(handle).filter((type) => type === 'reassigned').length > round, {
      what: `reassign ${round}`,
    });
  }
  const newest = set.client.workflow.getHandle(handle.workflowId);
  expect((await newest.describe()).runId).not.toBe(handle.firstExecutionRunId);
  await newest.signal('cancel');
  await expect(newest.result()).rejects.toThrow();
  expect(stateOf(handle)).toMatchObject({ status: 'CANCELED', pool: 'nobody-19' });
  expect(set.eventsOf(handle.workflowId).map(({ seq }) => seq)).toEqual(
    Array.from({ length: 23 }, (_, index) => index + 1),
  );
});

test('the time in the queue and the whole life are counted from when the job is due', async () => {
  const limits = { queueSeconds: 0.5 };
  const alone = await start({ function: 'echo', pool: 'nobody', notBefore: inMs(1_500), limits });
  const long = await start({ function: 'echo', notBefore: inMs(2_500), limits: { totalSeconds: 2 } });
  expect(await failureOf(alone)).toBe('queue-time-limit');
  expect(typesOf(alone)).toEqual(['created', 'queued', 'failed']);
  await long.result();
  expect(stateOf(long).status).toBe('COMPLETED');
});

test.each([[inMs(400 * 24 * 3_600_000)], ['tomorrow'], ['2026-11-22T05:00:00']])(
  'a direct start for %s ends as FAILED, and the field is named',
  async (notBefore) => {
    const handle = await start({ function: 'echo', notBefore });
    expect(await failureOf(handle)).toBe('invalid-start');
    expect(stateOf(handle)).toMatchObject({
      status: 'FAILED',
      error: { detail: expect.stringContaining('notBefore') },
    });
  },
);
