import { expect, test } from '@jest/globals';
import { LogPage } from '@perdure/job/schemas';
import { appendLogs } from '@perdure/store/report';
import { waitFor } from '../../../../tests/support/wait.ts';
import { apiWithoutWorkers } from '../testing/api-without-workers.ts';
import { ended } from '../testing/record.ts';

const api = apiWithoutWorkers();

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
  expect(await api().problem(`/v1/jobs/${job.id}/logs`, { headers: { accept: 'text/html' } })).toMatchObject({
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

test('a page of long lines ends after 8 MiB of text, and the next one goes on there', async () => {
  const job = await api().running();
  await api().db.pool.query(
    `insert into job_logs (tenant_id, job_id, at, attempt, stream, level, text)
     select tenant_id, id, now() + n * interval '1 microsecond', 1, 'log', 'info', lpad(n::text, 32768, 'x')
     from jobs, generate_series(1, 300) as n where id = $1`,
    [job.id],
  );
  const path = `/v1/jobs/${job.id}/logs`;
  const page = async (query: string) => LogPage.parse((await api().ask(`${path}?${query}`)).body);
  for (const filter of ['', '&attempt=1']) {
    const first = await page(`limit=10000${filter}`);
    expect([first.items.length, first.more]).toEqual([256, true]);
    const second = await page(`limit=10000${filter}&since=${first.nextSince}`);
    expect([second.items.length, second.more]).toEqual([44, false]);
    expect(second.items.at(-1)?.text.slice(-4)).toBe('x300');
  }
  const whole = await api().ask(path, { headers: { accept: 'text/plain' } });
  expect(whole.text.trimEnd().split('\n')).toHaveLength(300);
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
