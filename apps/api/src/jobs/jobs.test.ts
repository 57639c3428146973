import { describe, expect, test } from '@jest/globals';
import { firstAdminId } from '@perdure/job/ids';
import { jobError } from '@perdure/job/errors';
import { History, Job } from '@perdure/job/schemas';
import { randomUUID } from 'node:crypto';
import { apiWithoutWorkers, sleepJob } from '../testing/api-without-workers.ts';
import { ended } from '../testing/record.ts';

const api = apiWithoutWorkers();

describe('result', () => {
  test('is refused until the job has ended', async () => {
    const job = await api().running();
    const problem = await api().problem(`/v1/jobs/${job.id}/result`);
    expect(problem).toMatchObject({ status: 409, code: 'job-not-finished' });
    expect(problem.headers.get('retry-after')).toBe('1');
  });

  test('is the output', async () => {
    const job = await api().running();
    await api().recorded(job, {
      status: 'COMPLETED',
      endedAt: ended(),
      outcome: { output: { a: 1 }, files: [], resultFile: null },
    });
    expect(await api().ask(`/v1/jobs/${job.id}/result`)).toMatchObject({ status: 200, body: { a: 1 } });
  });

  test('is not sent again to those who have it, and HEAD says what GET would', async () => {
    const job = await api().running();
    const outcome = { output: { größe: [1, null, 'ä'] }, files: [], resultFile: null };
    const path = `/v1/jobs/${job.id}/result`;
    expect(await api().ask(path, { method: 'HEAD' })).toMatchObject({ status: 409, text: '' });
    await api().recorded(job, { status: 'COMPLETED', endedAt: ended(), outcome });
    const answer = await api().ask(path);
    const etag = answer.headers.get('etag') ?? '';
    expect(answer).toMatchObject({ status: 200, body: outcome.output });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
    const headers = { 'if-none-match': etag };
    const known = await api().ask(path, { headers });
    expect(known).toMatchObject({ status: 304, text: '' });
    expect(known.headers.get('etag')).toBe(etag);
    expect(await api().ask(path, { headers: { 'if-none-match': '"other"' } })).toMatchObject({ status: 200 });
    const head = await api().ask(path, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(head.headers.get('etag')).toBe(etag);
    expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(answer.text)));
  });

  test('is there exactly while the job is COMPLETED', async () => {
    const path = (job: { id: string }) => `/v1/jobs/${job.id}/result`;
    const waiting = await api().submitted();
    expect((await api().ask(path(waiting))).status).toBe(409);
    for (const status of ['CLAIMED', 'VALIDATING', 'RUNNING', 'UPLOADING'] as const) {
      const job = await api().submitted();
      await api().recorded(job, { status: 'PENDING' });
      await api().recorded(job, { status, attempt: 1, agentId: 'agent-1', startedAt: ended() });
      expect([status, (await api().problem(path(job))).code]).toEqual([status, 'job-not-finished']);
    }
    const canceled = await api().running();
    await api().recorded(canceled, { status: 'CANCELED', endedAt: ended() });
    expect(await api().problem(path(canceled))).toMatchObject({ status: 409, code: 'job-not-completed' });
  });

  test('is the file that the function declares', async () => {
    const job = await api().running();
    const { body: upload } = await api().ask('/v1/files?name=result.csv', {
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
    await api().recorded(job, {
      status: 'COMPLETED',
      endedAt: ended(),
      outcome: { output: null, files: [file], resultFile: 'result.csv' },
    });
    const answer = await api().ask(`/v1/jobs/${job.id}/result`);
    expect(answer.status).toBe(303);
    const location = answer.headers.get('location') ?? '';
    expect(location).toBe(`/v1/files/${fileId}/content`);
    expect((await api().ask(location)).text).toBe('a,b\n1,2\n');
    expect((await api().ask<Job>(`/v1/jobs/${job.id}`)).body.files).toMatchObject([
      { id: fileId, links: { content: location } },
    ]);
  });

  test('of a failed job is a problem with its error', async () => {
    const job = await api().running();
    const error = jobError('execution-failed', 'it broke');
    await api().recorded(job, { status: 'FAILED', endedAt: ended(), error });
    const problem = await api().problem(`/v1/jobs/${job.id}/result`);
    expect(problem).toMatchObject({ status: 409, code: 'job-not-completed', error });
  });
});

describe('history', () => {
  test('the history is all events in order', async () => {
    const job = await api().running();
    const { items } = History.parse((await api().ask(`/v1/jobs/${job.id}/history`)).body);
    expect(items.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(items[0]).toMatchObject({ type: 'created', status: 'CREATED', actor: firstAdminId });
  });
});

describe('control', () => {
  const signals = async (id: string): Promise<string[]> => {
    const { events } = await api().client.workflow.getHandle(id).fetchHistory();
    return (events ?? []).flatMap(
      ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName ?? [],
    );
  };

  test('a cancel is durable while no worker runs', async () => {
    const job = await api().submitted();
    const answer = await api().ask(`/v1/jobs/${job.id}:cancel`, { method: 'POST' });
    expect(answer.status).toBe(202);
    expect(Job.parse(answer.body).status).toBe('CREATED');
    expect(await signals(job.id)).toEqual(['cancel']);
    const again = await api().ask(`/v1/jobs/${job.id}:cancel`, {
      json: { reason: 'enough', mode: 'force', graceSeconds: 1 },
    });
    expect(again.status).toBe(202);
  });

  test('a cancel of a job that has ended changes nothing', async () => {
    const job = await api().running();
    await api().recorded(job, {
      status: 'COMPLETED',
      endedAt: ended(),
      outcome: { output: {}, files: [], resultFile: null },
    });
    const answer = await api().ask<Job>(`/v1/jobs/${job.id}:cancel`, { json: {} });
    expect(answer).toMatchObject({ status: 200, body: { status: 'COMPLETED', cancelRequestedAt: null } });
    expect(await signals(job.id)).toEqual([]);
  });

  test('If-Match of another revision stops a cancel and a reassign', async () => {
    const job = await api().running();
    const headers = { 'if-match': '"1"' };
    for (const [verb, json] of [
      ['cancel', {}],
      ['reassign', { anyone: true }],
    ] as const) {
      const problem = await api().problem(`/v1/jobs/${job.id}:${verb}`, { json, headers });
      expect(problem).toMatchObject({ status: 412, code: 'precondition-failed' });
    }
    expect(await signals(job.id)).toEqual([]);
    const current = (await api().ask(`/v1/jobs/${job.id}`)).headers.get('etag') ?? '';
    const answer = await api().ask(`/v1/jobs/${job.id}:cancel`, {
      json: {},
      headers: { 'if-match': current },
    });
    expect(answer.status).toBe(202);
  });

  test.each([{ anyone: true }, { agentId: 'agent-1', reason: 'try there' }, { pool: 'gpu' }])(
    'reassign to %j is 202',
    async (json) => {
      const job = await api().running({ ...sleepJob, version: '1.0.0' });
      expect((await api().ask(`/v1/jobs/${job.id}:reassign`, { json })).status).toBe(202);
      expect(await signals(job.id)).toEqual(['reassign']);
    },
  );

  test.each([
    [{ agentId: 'nobody' }, 'unknown-agent', '/agentId'],
    [{ agentId: 'agent-1' }, 'incapable-agent', '/agentId'],
    [{ pool: 'moon' }, 'unknown-pool', '/pool'],
  ])('reassign to %j is refused: %s', async (json, code, pointer) => {
    const job = await api().running();
    const problem = await api().problem(`/v1/jobs/${job.id}:reassign`, { json });
    expect(problem).toMatchObject({ status: 422, code, errors: [{ pointer }] });
    expect(await signals(job.id)).toEqual([]);
  });

  test.each(['UPLOADING', 'COMPLETED', 'FAILED', 'CANCELED'] as const)(
    'reassign while %s is refused',
    async (status) => {
      const job = await api().running();
      await api().recorded(job, { status, attempt: 1, endedAt: status === 'UPLOADING' ? null : ended() });
      const problem = await api().problem(`/v1/jobs/${job.id}:reassign`, { json: { anyone: true } });
      expect(problem).toMatchObject({ status: 409, code: 'transition-refused' });
    },
  );
});
