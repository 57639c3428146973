import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { History, Job } from '@perdure/job/schemas';
import { freshNamespace, temporalAddress } from '../../../tests/support/temporal.ts';
import { waitFor } from '../../../tests/support/wait.ts';
import { startApi, type TestApi } from './testing/api.ts';
import { startWorker } from './testing/worker.ts';

/** The API over a real Temporal server and a real worker. */
let api: TestApi;
let worker: Awaited<ReturnType<typeof startWorker>>;

beforeAll(async () => {
  api = await startApi({ TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_NAMESPACE: await freshNamespace() });
  worker = await startWorker(api.config);
  const ready = async (): Promise<boolean> => (await api.ask('/readyz')).status === 200;
  await waitFor(ready, { what: 'the API to be ready', timeoutMs: 40_000 });
  const known = async (): Promise<boolean> => (await api.ask('/v1/functions/echo/1.0.0')).status === 200;
  await waitFor(known, { what: 'the agent to announce its functions', timeoutMs: 20_000 });
}, 70_000);

afterAll(async () => {
  await worker?.stop();
  await api?.stop();
});

const submit = (json: object, headers: Record<string, string> = {}) =>
  api.ask<Job>('/v1/jobs', { json, headers });

async function waitForStatus(id: string, ...wanted: string[]): Promise<Job> {
  const look = async (): Promise<Job | undefined> => {
    const { body } = await api.ask<Job>(`/v1/jobs/${id}`);
    return wanted.includes(body.status) ? body : undefined;
  };
  return waitFor(look, { what: `${id} to be ${wanted.join(' or ')}`, timeoutMs: 20_000 });
}

test('a job goes from submit to its result', async () => {
  const answer = await submit({ function: 'echo', parameters: { text: 'hello' } }, { prefer: 'wait=20' });
  expect(answer.status).toBe(201);
  const job = Job.parse(answer.body);
  expect(job).toMatchObject({ status: 'COMPLETED', attempt: 1, agentId: 'agent-of-the-test', error: null });
  expect(await api.ask(`/v1/jobs/${job.id}/result`)).toMatchObject({
    status: 200,
    body: { echo: { text: 'hello' } },
  });
  const { items } = History.parse((await api.ask(`/v1/jobs/${job.id}/history`)).body);
  expect(items.map(({ status }) => status)).toEqual([
    'CREATED',
    'PENDING',
    'CLAIMED',
    'VALIDATING',
    'RUNNING',
    'UPLOADING',
    'COMPLETED',
  ]);
});

test('a running job is answered for by its workflow, its progress and logs follow', async () => {
  const { body: job } = await submit({ function: 'count', parameters: { to: 8, everyMs: 300 } });
  const following = api.ask(`/v1/jobs/${job.id}/logs?follow=true`);
  const fromWorkflow = async (): Promise<Job | undefined> => {
    const { body } = await api.ask<Job>(`/v1/jobs/${job.id}`);
    return body.status === 'RUNNING' && body.source === 'workflow' ? body : undefined;
  };
  const running = await waitFor(fromWorkflow, { what: 'the workflow to answer' });
  expect(Job.parse(running).stage).toBe('execute');
  expect(Math.abs(Date.now() - Date.parse(running.asOf))).toBeLessThan(5_000);
  const { text } = await following;
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { at: string; text: string });
  expect(lines.length).toBeGreaterThanOrEqual(8);
  expect(lines.map(({ at }) => at)).toEqual(lines.map(({ at }) => at).toSorted());
  expect(await waitForStatus(job.id, 'COMPLETED')).toMatchObject({ progress: { done: 8, total: 8 } });
});

test('a cancel ends a running job', async () => {
  const { body: job } = await submit({ function: 'sleep', parameters: { seconds: 600 } });
  await waitForStatus(job.id, 'RUNNING');
  const cancel = await api.ask<Job>(`/v1/jobs/${job.id}:cancel`, {
    json: { reason: 'enough', graceSeconds: 1 },
  });
  expect(cancel.status).toBe(202);
  const done = await waitForStatus(job.id, 'CANCELED');
  expect(done.cancelRequestedAt).not.toBeNull();
  expect((await api.ask(`/v1/jobs/${job.id}:cancel`, { json: {} })).status).toBe(200);
});

test('a reassign gives a job to an agent again', async () => {
  const { body: job } = await submit({ function: 'sleep', parameters: { seconds: 3 } });
  await waitForStatus(job.id, 'RUNNING');
  expect(
    (await api.ask(`/v1/jobs/${job.id}:reassign`, { json: { anyone: true, graceSeconds: 0 } })).status,
  ).toBe(202);
  expect(await waitForStatus(job.id, 'COMPLETED')).toMatchObject({ attempt: 2 });
});

test('a failed job answers with its error', async () => {
  const { body: job } = await submit({
    function: 'fail',
    parameters: { message: 'as asked', retryable: false },
  });
  expect(await waitForStatus(job.id, 'FAILED')).toMatchObject({
    error: { code: 'execution-failed', detail: expect.stringContaining('as asked') },
  });
});

test('the record answers in time when the worker is gone', async () => {
  const { body: job } = await submit({ function: 'sleep', parameters: { seconds: 600 } });
  await waitForStatus(job.id, 'RUNNING');
  await worker.stop('SIGKILL');
  const fromRecord = async (): Promise<boolean> => {
    const before = performance.now();
    const { body } = await api.ask<Job>(`/v1/jobs/${job.id}`);
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(body.status).toBe('RUNNING');
    return body.source === 'record';
  };
  await waitFor(fromRecord, { what: 'the record to answer' });
  worker = await startWorker(api.config);
  await api.ask(`/v1/jobs/${job.id}:cancel`, { json: { mode: 'force' } });
  await waitForStatus(job.id, 'CANCELED', 'PENDING', 'RUNNING');
}, 60_000);

test('a job for later is steered before its time, and status is answered at once', async () => {
  const notBefore = new Date(Date.now() + 3_600_000).toISOString();
  const { body: job } = await submit({ function: 'echo', notBefore });
  const scheduled = { status: 'CREATED', waitingReason: { kind: 'scheduled', notBefore } };
  const answered = async (): Promise<Job | undefined> => {
    const { body } = await api.ask<Job>(`/v1/jobs/${job.id}`);
    return body.source === 'workflow' ? body : undefined;
  };
  expect(await waitFor(answered, { what: 'the workflow to answer' })).toMatchObject(scheduled);
  const reassigned = await api.ask(`/v1/jobs/${job.id}:reassign`, { json: { agentId: 'agent-of-the-test' } });
  expect(reassigned.status).toBe(202);
  const sent = async () =>
    (await api.ask<Job>(`/v1/jobs/${job.id}`)).body.assignedAgentId === 'agent-of-the-test';
  await waitFor(sent, { what: 'the job to be reassigned' });
  expect((await api.ask<Job>(`/v1/jobs/${job.id}`)).body).toMatchObject(scheduled);
  expect((await api.ask(`/v1/jobs/${job.id}:cancel`, { json: {} })).status).toBe(202);
  expect(await waitForStatus(job.id, 'CANCELED')).toMatchObject({ attempt: 0, waitingReason: null });
});

test('a job is run again, all of it and from execute', async () => {
  const { body: first } = await submit(
    { function: 'count', parameters: { to: 2, everyMs: 0 } },
    { prefer: 'wait=20' },
  );
  for (const json of [{}, { from: 'execute' }]) {
    const { status, body } = await api.ask<Job>(`/v1/jobs/${first.id}:rerun`, { json });
    expect(status).toBe(201);
    const again = await waitForStatus(body.id, 'COMPLETED');
    expect(again).toMatchObject({ rerunOf: first.id, output: first.output, parameters: first.parameters });
  }
  expect((await api.ask<Job>(`/v1/jobs/${first.id}`)).body.reruns).toHaveLength(2);
});
