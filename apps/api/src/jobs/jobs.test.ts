import { describe, expect, test } from '@jest/globals';
import { jobError } from '@perdure/job/errors';
import { History, Job, LogPage } from '@perdure/job/schemas';
import { appendLogs } from '@perdure/store/report';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../../../../tests/support/wait.ts';
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

describe('history and logs', () => {
  test('the history is all events in order', async () => {
    const job = await api().running();
    const { items } = History.parse((await api().ask(`/v1/jobs/${job.id}/history`)).body);
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
    const job = await api().running();
    await appendLogs(api().db, job.id, 1, [line('one'), line('two'), line('three')]);
    const first = LogPage.parse((await api().ask(`/v1/jobs/${job.id}/logs?limit=2`)).body);
    expect(first.items.map(({ text }) => text)).toEqual(['one', 'two']);
    const rest = await api().ask(`/v1/jobs/${job.id}/logs?since=${first.nextSince}`, {
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
      (await api().ask(`/v1/jobs/${job.id}/logs?since=${JSON.parse(rest.text).at}`)).body,
    );
    expect(after.items).toEqual([]);
    expect(
      await api().problem(`/v1/jobs/${job.id}/logs`, { headers: { accept: 'text/html' } }),
    ).toMatchObject({
      status: 406,
    });
  });

  test('all lines so far are had as ndjson or text, whatever the length of a page', async () => {
    const job = await api().running();
    const texts = Array.from({ length: 2_500 }, (_, n) => `line ${n}`);
    await appendLogs(api().db, job.id, 1, texts.map(line));
    const path = `/v1/jobs/${job.id}/logs`;
    const page = LogPage.parse((await api().ask(path)).body);
    expect([page.items.length, page.more]).toEqual([1_000, true]);
    const ndjson = await api().ask(path, { headers: { accept: 'application/x-ndjson' } });
    const lines = ndjson.text.trimEnd().split('\n');
    expect(lines.map((one) => JSON.parse(one).text)).toEqual(texts);
    const plain = await api().ask(path, { headers: { accept: 'text/plain' } });
    expect(plain.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(plain.text.trimEnd().split('\n')).toEqual(
      lines.map((one) => `${JSON.parse(one).at} log info ${JSON.parse(one).text}`),
    );
    const some = await api().ask(`${path}?limit=1500`, { headers: { accept: 'text/plain' } });
    expect(some.text.trimEnd().split('\n')).toEqual(plain.text.split('\n').slice(0, 1_500));
    expect(plain.headers.get('perdure-logs-kept-since')).toBeNull();
  });

  test('lines are found by attempt, stream, level and text; a search goes on where it stopped', async () => {
    const job = await api().running();
    const path = `/v1/jobs/${job.id}/logs`;
    await appendLogs(api().db, job.id, 1, [
      { ...line('Needle one'), stream: 'stderr', level: 'error' },
      { ...line('hay'), stream: 'stdout', level: 'debug' },
      { ...line('warned'), stream: 'log', level: 'warn' },
    ]);
    const found = async (query: string) =>
      LogPage.parse((await api().ask(`${path}?${query}`)).body).items.map(({ text }) => text);
    expect(await found('q=needle')).toEqual(['Needle one']);
    expect(await found('q=no%20such')).toEqual([]);
    expect(await found('level=warn')).toEqual(['Needle one', 'warned']);
    expect(await found('stream=stdout,log')).toEqual(['hay', 'warned']);
    expect(await found('stream=stdout&stream=stderr&level=info')).toEqual(['Needle one']);
    expect(await found('attempt=1')).toHaveLength(3);
    expect(await found('attempt=2')).toEqual([]);
    for (const [query, field] of [
      ['level=loud', 'level'],
      ['stream=x', 'stream'],
      ['attempt=0', 'attempt'],
      ['q=', 'q'],
    ]) {
      const problem = await api().problem(`${path}?${query}`);
      expect([problem.status, problem.errors?.[0]?.pointer]).toEqual([
        422,
        expect.stringContaining(`query/${field}`),
      ]);
    }

    // Far more than one request looks at.
    await api().db.pool.query(
      `insert into job_logs (tenant_id, job_id, at, attempt, stream, level, text)
       select tenant_id, id, now() + n * interval '1 microsecond', 1, 'log', 'info', 'hay'
       from jobs, generate_series(1, 150000) as n where id = $1`,
      [job.id],
    );
    const first = LogPage.parse((await api().ask(`${path}?q=nothing`)).body);
    expect(first).toMatchObject({ items: [], more: true });
    const second = LogPage.parse((await api().ask(`${path}?q=nothing&since=${first.nextSince}`)).body);
    expect(second).toMatchObject({ items: [], more: false });
  });

  test('lines that are no longer kept are told of', async () => {
    const job = await api().submitted();
    await api().db.pool.query(`update jobs set created_at = '2020-01-01' where id = $1`, [job.id]);
    const { headers } = await api().ask(`/v1/jobs/${job.id}/logs`);
    expect(Date.parse(headers.get('perdure-logs-kept-since') ?? '')).toBeGreaterThan(
      Date.now() - 3 * 86_400_000,
    );
  });

  test('as text, a line stays one whatever is in it; ndjson keeps it as it is', async () => {
    const job = await api().running();
    const text = 'one\r\n2026-01-01T00:00:00Z log info two\rthree';
    await appendLogs(api().db, job.id, 1, [line(text)]);
    const read = async (accept: string) =>
      (await api().ask(`/v1/jobs/${job.id}/logs`, { headers: { accept } })).text;
    expect(await read('text/plain')).toMatch(/^\S+ log info one 2026-01-01T00:00:00Z log info two three\n$/);
    expect(JSON.parse(await read('application/x-ndjson'))).toMatchObject({ text });
  });

  test('a follower is heard before there is a line', async () => {
    const job = await api().running();
    const closing = new AbortController();
    const response = await fetch(`${api().url}/v1/jobs/${job.id}/logs?follow=true`, {
      headers: { authorization: `Bearer ${api().adminKey}` },
      signal: closing.signal,
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    closing.abort();
  });

  test('followed logs stream until the job ends', async () => {
    const job = await api().running();
    await appendLogs(api().db, job.id, 1, [line('early')]);
    const following = api().ask(`/v1/jobs/${job.id}/logs?follow=true`);
    await waitFor(async () => /perdure_waiters 1/.test((await api().ask('/metrics')).text), {
      what: 'the follower',
    });
    await appendLogs(api().db, job.id, 1, [line('late')]);
    await appendLogs(api().db, job.id, 1, [line('last')]);
    await api().recorded(job, {
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
