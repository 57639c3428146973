import { afterEach, describe, expect, test } from '@jest/globals';
import { JobSummary, type Job, StreamedEvent } from '@perdure/job/schemas';
import { reportProgress } from '@perdure/store/report';
import { randomUUID } from 'node:crypto';
import { readSse, type SseMessage, type SseStream } from '../../../../tests/support/sse.ts';
import { waitFor } from '../../../../tests/support/wait.ts';
import { anotherTenant } from '../testing/api.ts';
import { apiWithoutWorkers, sleepJob } from '../testing/api-without-workers.ts';
import { ended } from '../testing/record.ts';

const api = apiWithoutWorkers({ MAX_STREAMS_PER_KEY: '3', STREAM_KEEP_ALIVE_SECONDS: '1' });

let foreignTenant: Promise<string> | undefined;
const keyOfAnotherTenant = async () =>
  api().keyFor('operator', await (foreignTenant ??= anotherTenant(api().db)));

const open: SseStream[] = [];
afterEach(async () => {
  for (const stream of open.splice(0)) {
    stream.close();
    await stream.ended;
  }
  await waitFor(async () => /perdure_waiters 0/.test((await api().ask('/metrics')).text), {
    what: 'the streams to be closed',
  });
});

async function follow(path: string, lastEventId?: string, key = api().adminKey): Promise<SseStream> {
  const stream = await readSse(`${api().url}${path}`, { key, lastEventId });
  open.push(stream);
  return stream;
}

const eventsOf = ({ id }: { id: string }) => `/v1/jobs/${id}/events`;
const progress = (done: number) => ({ done, total: 10, unit: 'rows', message: null });
const completed = () => ({
  status: 'COMPLETED' as const,
  endedAt: ended(),
  outcome: { output: {}, files: [], resultFile: null },
});
const told = (messages: SseMessage[]) => messages.map(({ id, event }) => `${id} ${event}`);

/** A job with three events, two changes without an event, and its end. */
async function finished(): Promise<Job> {
  const job = await api().running();
  await reportProgress(api().db, job.id, 1, progress(1));
  await reportProgress(api().db, job.id, 1, progress(2));
  await api().recorded(job, completed());
  return job;
}

describe('the stream of a job', () => {
  test('tells its history, each event with the revision that the job has since, and ends', async () => {
    const job = await finished();
    const stream = await follow(eventsOf(job));
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.headers.get('cache-control')).toBe('no-store');
    expect(await stream.ended).toBe(true);
    expect(told(stream.messages)).toEqual(['1 history', '2 history', '3 history', '6 history']);
    const events = stream.messages.map(({ data }) => StreamedEvent.parse(data));
    expect(events.map(({ seq, revision, jobId }) => [seq, revision, jobId])).toEqual(
      [1, 2, 3, 6].map((revision, index) => [index + 1, revision, job.id]),
    );
    expect((await api().ask<Job>(`/v1/jobs/${job.id}`)).headers.get('etag')).toBe('"6"');
  });

  test('goes on after any message as if nothing had been between', async () => {
    const job = await finished();
    const whole = await follow(eventsOf(job));
    await whole.ended;
    for (const id of [1, 2, 3, 4, 5]) {
      const rest = await follow(eventsOf(job), String(id));
      await rest.ended;
      expect(rest.messages).toEqual(whole.messages.filter((message) => Number(message.id) > id));
    }
    const nothing = await follow(eventsOf(job), '6');
    expect(nothing.status).toBe(204);
  });

  test('tells events and progress as they come, and that it is alive while nothing does', async () => {
    const job = await api().submitted(sleepJob);
    const stream = await follow(eventsOf(job));
    const untilTold = (...all: string[]) =>
      waitFor(() => told(stream.messages).join() === all.join(), { what: all.join() });
    await untilTold('1 history');
    await waitFor(() => stream.comments.includes('keep-alive'), { what: 'a sign of life' });
    await api().recorded(job, { status: 'PENDING' });
    await untilTold('1 history', '2 history');
    await api().recorded(job, { status: 'RUNNING', attempt: 1, agentId: 'agent-1' });
    await untilTold('1 history', '2 history', '3 history');
    await reportProgress(api().db, job.id, 1, progress(7));
    await untilTold('1 history', '2 history', '3 history', '4 job');
    expect(JobSummary.parse(stream.messages.at(-1)?.data)).toMatchObject({
      id: job.id,
      revision: 4,
      progress: progress(7),
    });
    await api().recorded(job, completed());
    expect(await stream.ended).toBe(true);
    expect(told(stream.messages).slice(4)).toEqual(['5 history']);
  });

  test('is open at once, though nothing has happened since', async () => {
    const job = await api().running();
    const stream = await follow(eventsOf(job), '3');
    expect(stream.status).toBe(200);
    await waitFor(() => stream.retry !== undefined, { what: 'the beginning' });
    expect([stream.messages, stream.comments]).toEqual([[], []]);
  });

  test('begins with a snapshot where only something else has changed since', async () => {
    const job = await api().running();
    await reportProgress(api().db, job.id, 1, progress(1));
    await reportProgress(api().db, job.id, 1, progress(2));
    const stream = await follow(eventsOf(job), '3');
    await waitFor(() => stream.messages.length > 0, { what: 'the snapshot' });
    expect(stream.messages).toMatchObject([{ id: '5', event: 'job', data: { progress: progress(2) } }]);
  });

  test('of an unknown or a foreign job is not found; ids that it cannot have had are refused', async () => {
    const job = await api().running();
    const foreign = await keyOfAnotherTenant();
    expect(await api().problem(eventsOf(job), { key: foreign })).toMatchObject({ status: 404 });
    expect(await api().problem(eventsOf({ id: randomUUID() }))).toMatchObject({ status: 404 });
    for (const id of ['4', 'x', '-1', '1.5', '']) {
      const problem = await api().problem(eventsOf(job), { headers: { 'last-event-id': id } });
      expect(problem).toMatchObject({ status: 422, errors: [{ pointer: 'header/Last-Event-ID' }] });
    }
    expect(await api().problem(eventsOf(job), { headers: { accept: 'text/html' } })).toMatchObject({
      status: 406,
    });
  });

  test('answers a HEAD without a stream', async () => {
    const { status, headers } = await api().ask(eventsOf(await api().running()), { method: 'HEAD' });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  });
});

describe('the stream of a tenant', () => {
  test('tells all events from now on, those of other tenants excepted, and can be resumed anywhere', async () => {
    const before = await finished();
    const stream = await follow('/v1/events');
    await waitFor(() => stream.lastEventId !== undefined, { what: 'a place to resume from' });
    const start = stream.lastEventId;
    const other = await follow('/v1/events', undefined, await keyOfAnotherTenant());
    const [one, two] = [await finished(), await finished()];
    await waitFor(() => stream.messages.length >= 8, { what: 'all events' });
    const named = stream.messages.map(({ data }) => StreamedEvent.parse(data));
    expect(named.map(({ jobId, seq }) => [jobId, seq])).toEqual(
      [one, two].flatMap(({ id }) => [1, 2, 3, 4].map((seq) => [id, seq])),
    );
    expect(named.some(({ jobId }) => jobId === before.id)).toBe(false);
    expect(new Set(stream.messages.map(({ event }) => event))).toEqual(new Set(['history']));
    for (const [index, { id }] of [{ id: start }, ...stream.messages].entries()) {
      const again = await follow('/v1/events', id);
      await waitFor(() => again.messages.length >= 8 - index, { what: 'the rest' });
      expect(again.messages).toEqual(stream.messages.slice(index));
      again.close();
    }
    await waitFor(() => other.comments.length > 0, { what: 'a sign of life' });
    expect(other.messages).toEqual([]);
  });

  test('tells that it is alive while an older transaction holds an event back', async () => {
    const stream = await follow('/v1/events');
    await waitFor(() => stream.retry !== undefined, { what: 'the beginning' });
    const older = await api().db.pool.connect();
    try {
      await older.query('begin; select pg_current_xact_id()');
      const job = await api().submitted(sleepJob);
      await waitFor(() => stream.comments.length >= 2, { what: 'signs of life' });
      expect(stream.messages).toEqual([]);
      await older.query('commit');
      await waitFor(() => stream.messages.length > 0, { what: 'the event' });
      expect(stream.messages).toMatchObject([{ event: 'history', data: { jobId: job.id, seq: 1 } }]);
    } finally {
      older.release(true);
      stream.close();
    }
  });

  test('refuses an id that no stream has had', async () => {
    for (const id of ['7', 'x-1-y', `${'9'.repeat(19)}-1-a`, `${'9'.repeat(20)}-1-a`, '1-1-a b']) {
      const problem = await api().problem('/v1/events', { headers: { 'last-event-id': id } });
      expect(problem).toMatchObject({ status: 422, errors: [{ pointer: 'header/Last-Event-ID' }] });
    }
  });
});

test('a key has so many streams open, and no more', async () => {
  const job = await api().running();
  const streams = [await follow('/v1/events'), await follow(eventsOf(job)), await follow('/v1/events')];
  for (const path of ['/v1/events', eventsOf(job)]) {
    const problem = await api().problem(path);
    expect(problem).toMatchObject({ status: 429, code: 'too-many-streams' });
    expect(problem.headers.get('retry-after')).toMatch(/^\d+$/);
  }
  expect((await follow('/v1/events', undefined, await api().keyFor('operator'))).status).toBe(200);
  streams[0]?.close();
  await waitFor(async () => (await follow('/v1/events')).status === 200, { what: 'room' });
});
