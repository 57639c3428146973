import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jobError } from '@perdure/job/errors';
import { defaultTenantId } from '@perdure/job/ids';
import { History, Job, JobPage, LogPage } from '@perdure/job/schemas';
import { getJob, type JobRecord } from '@perdure/store/read';
import { createJob } from '@perdure/store/submit';
import { appendLogs, reportProgress } from '@perdure/store/report';
import { Client, Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { freshNamespace, temporalAddress } from '../../../../tests/support/temporal.ts';
import { waitFor } from '../../../../tests/support/wait.ts';
import { anotherTenant, startApi, type TestApi } from '../testing/api.ts';
import { announceAll } from '../testing/catalogue.ts';
import { ended, recordState } from '../testing/record.ts';

/** A real Temporal server, at which no worker runs: what workflows would record, the tests record. */
let api: TestApi;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  const namespace = await freshNamespace();
  connection = await Connection.connect({ address: temporalAddress() });
  client = new Client({ connection, namespace });
  api = await startApi({
    TEMPORAL_ADDRESS: temporalAddress(),
    TEMPORAL_NAMESPACE: namespace,
    TEMPORAL_UI_URL: 'http://127.0.0.1:8233',
    STATUS_BUDGET_MS: '300',
  });
  await announceAll(api.db);
});

afterAll(async () => {
  await api.stop();
  await connection.close();
});

const sleepJob = { function: 'sleep', parameters: { seconds: 1 } };

async function submitted(request: object = sleepJob): Promise<Job> {
  const answer = await api.ask<Job>('/v1/jobs', { json: request });
  expect(answer.status).toBe(201);
  return answer.body;
}

/** A job that an agent runs, as far as the record knows. */
async function running(request: object = sleepJob): Promise<Job> {
  const job = await submitted(request);
  await recorded(job, { status: 'PENDING' });
  await recorded(job, { status: 'RUNNING', attempt: 1, agentId: 'agent-1', startedAt: ended() });
  return job;
}

function recorded({ id }: { id: string }, some: Parameters<typeof recordState>[2]): Promise<void> {
  return recordState(api.db, { id, tenantId: defaultTenantId }, some);
}

async function rowOf({ id }: { id: string }): Promise<JobRecord> {
  const row = await getJob(api.db, defaultTenantId, id);
  if (row === undefined) throw new Error(`there is no row of ${id}`);
  return row;
}

const queries = async (): Promise<number> => {
  const { text } = await api.ask('/metrics');
  return [...text.matchAll(/^perdure_status_queries_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
};

describe('submit', () => {
  test('answers 201 with the job, which is recorded and started', async () => {
    const answer = await api.ask('/v1/jobs', {
      json: { ...sleepJob, name: 'nap', labels: { team: 'north' }, priority: 1 },
    });
    expect(answer.status).toBe(201);
    const job = Job.parse(answer.body);
    expect(job).toMatchObject({
      status: 'CREATED',
      function: { name: 'sleep', version: '1.1.0' },
      name: 'nap',
      labels: { team: 'north' },
      priority: 1,
      parameters: { seconds: 1 },
      revision: 1,
      source: 'record',
    });
    expect(answer.headers.get('location')).toBe(`/v1/jobs/${job.id}`);
    expect(answer.headers.get('etag')).toBe('"1"');
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(job.links.temporal).toContain(job.id);
    const workflow = await client.workflow.getHandle(job.id).describe();
    expect(workflow).toMatchObject({ type: 'job', taskQueue: 'perdure', status: { name: 'RUNNING' } });
    const started = async (): Promise<boolean> => (await rowOf(job)).workflowStartedAt !== null;
    await waitFor(started, { what: 'the start to be noted' });
  });

  test('of a repeat with the same key answers with the first job', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const first = await api.ask<Job>('/v1/jobs', { json: sleepJob, headers });
    const again = await api.ask<Job>('/v1/jobs', {
      json: { parameters: { seconds: 1 }, function: 'sleep' },
      headers,
    });
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body.id).toBe(first.body.id);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
  });

  test('of another body with the same key is refused', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    await api.ask('/v1/jobs', { json: sleepJob, headers });
    const problem = await api.problem('/v1/jobs', { json: { ...sleepJob, name: 'other' }, headers });
    expect(problem).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
  });

  test('ten times at once with one key makes one job', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => api.ask<Job>('/v1/jobs', { json: sleepJob, headers })),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(9).fill(200), 201]);
  });

  test('keeps the keys of two callers apart', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const [mine, other] = await Promise.all([
      api.ask<Job>('/v1/jobs', { json: sleepJob, headers }),
      api.keyFor('member').then((key) => api.ask<Job>('/v1/jobs', { json: sleepJob, headers, key })),
    ]);
    expect([mine.status, other.status]).toEqual([201, 201]);
    expect(mine.body.id).not.toBe(other.body.id);
  });

  test('takes an id of the client, once', async () => {
    const id = randomUUID();
    expect((await submitted({ ...sleepJob, id })).id).toBe(id);
    expect(await api.problem('/v1/jobs', { json: { ...sleepJob, id } })).toMatchObject({
      status: 409,
      code: 'id-taken',
    });
  });

  test.each([
    ['/v1/jobs', { ...sleepJob, validateOnly: true }],
    ['/v1/jobs?validateOnly=true', sleepJob],
  ])('to %s with validateOnly makes no job', async (path, json) => {
    const before = (await api.ask<JobPage>('/v1/jobs')).body.items[0]?.id;
    const answer = await api.ask(path, { json });
    expect(answer).toMatchObject({
      status: 200,
      body: { valid: true, function: { name: 'sleep', version: '1.1.0' } },
    });
    expect((await api.ask<JobPage>('/v1/jobs')).body.items[0]?.id).toBe(before);
  });

  test('sends large parameters through storage', async () => {
    const parameters = { text: 'x'.repeat(100_000) };
    const { id } = await submitted({ function: 'echo', parameters });
    const row = await rowOf({ id });
    expect(row.start.parameters).toEqual({});
    expect(row.parametersSha256).toMatch(/^[0-9a-f]{64}$/);
    expect((await api.ask<Job>(`/v1/jobs/${id}`)).body.parameters).toEqual(parameters);
  });

  test('with Prefer: wait answers with the end', async () => {
    const id = randomUUID();
    const asked = api.ask<Job>('/v1/jobs', { json: { ...sleepJob, id }, headers: { prefer: 'wait=20' } });
    await waitFor(async () => (await rowOf({ id })).workflowStartedAt, { what: 'the job to be started' });
    await recorded(
      { id },
      {
        status: 'COMPLETED',
        endedAt: ended(),
        outcome: { output: { slept: 1 }, files: [], resultFile: null },
      },
    );
    const answer = await asked;
    expect(answer).toMatchObject({ status: 201, body: { status: 'COMPLETED', output: { slept: 1 } } });
    expect(answer.headers.get('preference-applied')).toBe('wait=20');
    expect(answer.headers.get('retry-after')).toBeNull();
  });
});

describe('status', () => {
  test('comes from the record in time while no worker runs', async () => {
    const job = await running();
    const before = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.ask(`/v1/jobs/${job.id}`)));
    expect(performance.now() - before).toBeLessThan(1_500);
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(Job.parse(body)).toMatchObject({
        status: 'RUNNING',
        stage: 'execute',
        source: 'record',
        attempt: 1,
      });
    }
  });

  test('costs many pollers one query', async () => {
    const job = await running();
    const before = await queries();
    await Promise.all(Array.from({ length: 20 }, () => api.ask(`/v1/jobs/${job.id}`)));
    expect((await queries()) - before).toBe(1);
  });

  test('is 304 without a query while the ETag is current', async () => {
    const job = await running();
    const { headers, body } = await api.ask<Job>(`/v1/jobs/${job.id}`);
    const etag = headers.get('etag') ?? '';
    expect(etag).toBe(`"${body.revision}"`);
    const before = await queries();
    const unchanged = await api.ask(`/v1/jobs/${job.id}`, { headers: { 'if-none-match': etag } });
    expect(unchanged).toMatchObject({ status: 304, text: '' });
    expect(unchanged.headers.get('etag')).toBe(etag);
    expect(unchanged.headers.get('retry-after')).toBe('1');
    expect(await queries()).toBe(before);
    await reportProgress(api.db, job.id, 1, { done: 1, total: 2, unit: 'rows', message: null });
    const changed = await api.ask<Job>(`/v1/jobs/${job.id}`, { headers: { 'if-none-match': etag } });
    expect(changed).toMatchObject({
      status: 200,
      body: { progress: { done: 1, total: 2, unit: 'rows', message: null } },
    });
    expect(changed.headers.get('etag')).not.toBe(etag);
  });

  test('answers HEAD as GET, without the body', async () => {
    const job = await submitted();
    const answer = await api.ask(`/v1/jobs/${job.id}`, { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(answer.headers.get('etag')).toBe('"1"');
  });

  test('of a failed job is 200, and its failure is data', async () => {
    const job = await running();
    const error = jobError('invalid-input', 'row 3 is no number', [
      { pointer: 'line 3', detail: 'no number' },
    ]);
    await recorded(job, { status: 'FAILED', endedAt: ended(), error });
    const answer = await api.ask(`/v1/jobs/${job.id}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('retry-after')).toBeNull();
    expect(Job.parse(answer.body)).toMatchObject({ status: 'FAILED', stage: null, error, source: 'record' });
  });

  test('with Prefer: wait answers as soon as something changes', async () => {
    const job = await running();
    const waiters = Array.from({ length: 50 }, () =>
      api.ask<Job>(`/v1/jobs/${job.id}`, { headers: { prefer: 'wait=30' } }),
    );
    await waitFor(async () => /perdure_waiters (\d+)/.exec((await api.ask('/metrics')).text)?.[1] === '50', {
      what: 'waiters',
    });
    const before = await queries();
    await recorded(job, { status: 'UPLOADING', attempt: 1 });
    for (const answer of await Promise.all(waiters)) {
      expect(answer).toMatchObject({ status: 200, body: { status: 'UPLOADING' } });
      expect(answer.headers.get('preference-applied')).toBe('wait=30');
    }
    expect(await queries()).toBe(before);
  });

  test('with Prefer: wait and an ETag of before answers at once', async () => {
    const job = await running();
    const headers = { prefer: 'wait=30', 'if-none-match': '"1"' };
    expect(await api.ask(`/v1/jobs/${job.id}`, { headers })).toMatchObject({
      status: 200,
      body: { status: 'RUNNING' },
    });
  });

  test.each([
    [{}, 200],
    [{ 'if-none-match': '"1"' }, 304],
  ])('with Prefer: wait and %j answers %d when the time is over', async (more, status) => {
    const job = await submitted();
    const answer = await api.ask(`/v1/jobs/${job.id}`, { headers: { prefer: 'wait=1', ...more } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('preference-applied')).toBe('wait=1');
  });

  test('is UNKNOWN when Temporal has lost the workflow', async () => {
    const { start, tenantId, owner, parameters } = await rowOf(await submitted());
    const id = randomUUID();
    // Recorded as if it had run; Temporal has never heard of it.
    await createJob(api.db, { id, tenantId, owner, start, parameters });
    await recorded({ id }, { status: 'PENDING' });
    const answer = await api.ask(`/v1/jobs/${id}`);
    expect(Job.parse(answer.body)).toMatchObject({
      status: 'UNKNOWN',
      stage: null,
      source: 'record',
      revision: 2,
    });
    expect(answer.headers.get('etag')).toBe('"2.unknown"');
    expect((await api.ask(`/v1/jobs/${id}:cancel`, { method: 'POST' })).status).toBe(409);
  });

  test('says why a job waits', async () => {
    const waiting = async (request: object): Promise<unknown> => {
      const job = await submitted(request);
      await recorded(job, { status: 'PENDING' });
      return (await api.ask<Job>(`/v1/jobs/${job.id}`)).body.waitingReason;
    };
    expect(await waiting({ ...sleepJob, version: '1.0.0' })).toBeNull();
    expect(await waiting({ function: 'echo' })).toEqual({ kind: 'no-agent-serves' });
  });
});

describe('result', () => {
  test('is refused until the job has ended', async () => {
    const job = await running();
    const problem = await api.problem(`/v1/jobs/${job.id}/result`);
    expect(problem).toMatchObject({ status: 409, code: 'job-not-finished' });
    expect(problem.headers.get('retry-after')).toBe('1');
  });

  test('is the output', async () => {
    const job = await running();
    await recorded(job, {
      status: 'COMPLETED',
      endedAt: ended(),
      outcome: { output: { a: 1 }, files: [], resultFile: null },
    });
    expect(await api.ask(`/v1/jobs/${job.id}/result`)).toMatchObject({ status: 200, body: { a: 1 } });
  });

  test('is the file that the function declares', async () => {
    const job = await running();
    const { body: upload } = await api.ask('/v1/files?name=result.csv', {
      raw: 'a,b\n1,2\n',
      headers: { 'content-type': 'text/csv' },
    });
    const fileId = randomUUID();
    const file = {
      fileId,
      name: 'result.csv',
      mediaType: 'text/csv',
      size: 8,
      sha256: String(upload['sha256']),
    };
    await recorded(job, {
      status: 'COMPLETED',
      endedAt: ended(),
      outcome: { output: null, files: [file], resultFile: 'result.csv' },
    });
    const answer = await api.ask(`/v1/jobs/${job.id}/result`);
    expect(answer.status).toBe(303);
    const location = answer.headers.get('location') ?? '';
    expect(location).toBe(`/v1/files/${fileId}/content`);
    expect((await api.ask(location)).text).toBe('a,b\n1,2\n');
    expect((await api.ask<Job>(`/v1/jobs/${job.id}`)).body.files).toMatchObject([
      { id: fileId, links: { content: location } },
    ]);
  });

  test('of a failed job is a problem with its error', async () => {
    const job = await running();
    const error = jobError('execution-failed', 'it broke');
    await recorded(job, { status: 'FAILED', endedAt: ended(), error });
    const problem = await api.problem(`/v1/jobs/${job.id}/result`);
    expect(problem).toMatchObject({ status: 409, code: 'job-not-completed', error });
  });
});

describe('list', () => {
  test('goes through all jobs once, newest first', async () => {
    const ids = [];
    for (let i = 0; i < 7; i++)
      ids.unshift((await submitted({ function: 'echo', labels: { i: String(i) } })).id);
    const seen: string[] = [];
    let token = '';
    do {
      const { body } = await api.ask(`/v1/jobs?function=echo&pageSize=2${token}`);
      const page = JobPage.parse(body);
      seen.push(...page.items.map(({ id }) => id));
      token = page.nextPageToken === null ? '' : `&pageToken=${page.nextPageToken}`;
    } while (token !== '' && seen.length < 100);
    expect(seen.slice(0, 7)).toEqual(ids);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('filters by status', async () => {
    const job = await running();
    const { body } = await api.ask<JobPage>('/v1/jobs?status=RUNNING,UPLOADING&status=PENDING&pageSize=200');
    expect(body.items.map(({ id }) => id)).toContain(job.id);
    expect(body.items.every(({ status }) => ['RUNNING', 'UPLOADING', 'PENDING'].includes(status))).toBe(true);
  });

  test('takes a page token for the list it belongs to, and for no other', async () => {
    await submitted();
    await submitted();
    const { body } = await api.ask<JobPage>('/v1/jobs?pageSize=1&function=sleep');
    const token = body.nextPageToken;
    const foreign = await api.keyFor('member', await anotherTenant(api.db));
    expect((await api.ask(`/v1/jobs?function=sleep&pageToken=${token}`)).status).toBe(200);
    expect(await api.problem(`/v1/jobs?function=echo&pageToken=${token}`)).toMatchObject({ status: 422 });
    expect(await api.problem(`/v1/jobs?pageToken=${token}`)).toMatchObject({ status: 422 });
    const asked = { key: foreign };
    expect(await api.problem(`/v1/jobs?function=sleep&pageToken=${token}`, asked)).toMatchObject({
      status: 422,
    });
  });
});

describe('history and logs', () => {
  test('the history is all events in order', async () => {
    const job = await running();
    const { items } = History.parse((await api.ask(`/v1/jobs/${job.id}/history`)).body);
    expect(items.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(items[0]).toMatchObject({ type: 'created', status: 'CREATED', actor: 'admin' });
  });

  const line = (text: string) => ({
    at: '2026-11-22T05:00:00.000000Z',
    stream: 'log' as const,
    level: 'info' as const,
    text,
  });

  test('logs are pages of lines, as JSON or ndjson', async () => {
    const job = await running();
    await appendLogs(api.db, job.id, 1, [line('one'), line('two'), line('three')]);
    const first = LogPage.parse((await api.ask(`/v1/jobs/${job.id}/logs?limit=2`)).body);
    expect(first.items.map(({ text }) => text)).toEqual(['one', 'two']);
    const rest = await api.ask(`/v1/jobs/${job.id}/logs?since=${first.nextSince}`, {
      headers: { accept: 'application/x-ndjson' },
    });
    expect(rest.headers.get('content-type')).toBe('application/x-ndjson');
    expect(
      rest.text
        .trim()
        .split('\n')
        .map((one) => JSON.parse(one).text),
    ).toEqual(['three']);
    const after = LogPage.parse(
      (await api.ask(`/v1/jobs/${job.id}/logs?since=${JSON.parse(rest.text).at}`)).body,
    );
    expect(after.items).toEqual([]);
    expect(await api.problem(`/v1/jobs/${job.id}/logs`, { headers: { accept: 'text/html' } })).toMatchObject({
      status: 406,
    });
  });

  test('followed logs stream until the job ends', async () => {
    const job = await running();
    await appendLogs(api.db, job.id, 1, [line('early')]);
    const following = api.ask(`/v1/jobs/${job.id}/logs?follow=true`);
    await waitFor(async () => /perdure_waiters 1/.test((await api.ask('/metrics')).text), {
      what: 'the follower',
    });
    await appendLogs(api.db, job.id, 1, [line('late')]);
    await appendLogs(api.db, job.id, 1, [line('last')]);
    await recorded(job, {
      status: 'COMPLETED',
      endedAt: ended(),
      outcome: { output: {}, files: [], resultFile: null },
    });
    const { status, text } = await following;
    expect(status).toBe(200);
    expect(
      text
        .trim()
        .split('\n')
        .map((one) => JSON.parse(one).text),
    ).toEqual(['early', 'late', 'last']);
  });
});

describe('control', () => {
  const signals = async (id: string): Promise<string[]> => {
    const { events } = await client.workflow.getHandle(id).fetchHistory();
    return (events ?? []).flatMap(
      ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName ?? [],
    );
  };

  test('a cancel is durable while no worker runs', async () => {
    const job = await submitted();
    const answer = await api.ask(`/v1/jobs/${job.id}:cancel`, { method: 'POST' });
    expect(answer.status).toBe(202);
    expect(Job.parse(answer.body).status).toBe('CREATED');
    expect(await signals(job.id)).toEqual(['cancel']);
    const again = await api.ask(`/v1/jobs/${job.id}:cancel`, {
      json: { reason: 'enough', mode: 'force', graceSeconds: 1 },
    });
    expect(again.status).toBe(202);
  });

  test('a cancel of a job that has ended changes nothing', async () => {
    const job = await running();
    await recorded(job, {
      status: 'COMPLETED',
      endedAt: ended(),
      outcome: { output: {}, files: [], resultFile: null },
    });
    const answer = await api.ask<Job>(`/v1/jobs/${job.id}:cancel`, { json: {} });
    expect(answer).toMatchObject({ status: 200, body: { status: 'COMPLETED', cancelRequestedAt: null } });
    expect(await signals(job.id)).toEqual([]);
  });

  test('If-Match of another revision stops a cancel and a reassign', async () => {
    const job = await running();
    const headers = { 'if-match': '"1"' };
    for (const [verb, json] of [
      ['cancel', {}],
      ['reassign', { anyone: true }],
    ] as const) {
      const problem = await api.problem(`/v1/jobs/${job.id}:${verb}`, { json, headers });
      expect(problem).toMatchObject({ status: 412, code: 'precondition-failed' });
    }
    expect(await signals(job.id)).toEqual([]);
    const current = (await api.ask(`/v1/jobs/${job.id}`)).headers.get('etag') ?? '';
    const answer = await api.ask(`/v1/jobs/${job.id}:cancel`, { json: {}, headers: { 'if-match': current } });
    expect(answer.status).toBe(202);
  });

  test.each([{ anyone: true }, { agentId: 'agent-1', reason: 'try there' }, { pool: 'gpu' }])(
    'reassign to %j is 202',
    async (json) => {
      const job = await running({ ...sleepJob, version: '1.0.0' });
      expect((await api.ask(`/v1/jobs/${job.id}:reassign`, { json })).status).toBe(202);
      expect(await signals(job.id)).toEqual(['reassign']);
    },
  );

  test.each([
    [{ agentId: 'nobody' }, 'unknown-agent', '/agentId'],
    [{ agentId: 'agent-1' }, 'incapable-agent', '/agentId'],
    [{ pool: 'moon' }, 'unknown-pool', '/pool'],
  ])('reassign to %j is refused: %s', async (json, code, pointer) => {
    const job = await running();
    const problem = await api.problem(`/v1/jobs/${job.id}:reassign`, { json });
    expect(problem).toMatchObject({ status: 422, code, errors: [{ pointer }] });
    expect(await signals(job.id)).toEqual([]);
  });

  test.each(['UPLOADING', 'COMPLETED', 'FAILED', 'CANCELED'] as const)(
    'reassign while %s is refused',
    async (status) => {
      const job = await running();
      await recorded(job, { status, attempt: 1, endedAt: status === 'UPLOADING' ? null : ended() });
      const problem = await api.problem(`/v1/jobs/${job.id}:reassign`, { json: { anyone: true } });
      expect(problem).toMatchObject({ status: 409, code: 'transition-refused' });
    },
  );
});
