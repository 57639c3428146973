import { describe, expect, test } from '@jest/globals';
import { jobError } from '@perdure/job/errors';
import { Job } from '@perdure/job/schemas';
import { announceAgent, announceFunctions, reportProgress } from '@perdure/store/report';
import { createJob } from '@perdure/store/submit';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../../../../tests/support/wait.ts';
import { apiWithoutWorkers, sleepJob } from '../testing/api-without-workers.ts';
import { aFunction, anAgent } from '../testing/catalogue.ts';
import { ended } from '../testing/record.ts';

const api = apiWithoutWorkers({ WAITING_REASON_SECONDS: '1' });

describe('status', () => {
  test('comes from the record in time while no worker runs', async () => {
    const job = await api().running();
    const before = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => api().ask(`/v1/jobs/${job.id}`)));
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
    const job = await api().running();
    const before = await api().queries();
    await Promise.all(Array.from({ length: 20 }, () => api().ask(`/v1/jobs/${job.id}`)));
    expect((await api().queries()) - before).toBe(1);
  });

  test('is 304 without a query while the ETag is current', async () => {
    const job = await api().running();
    const { headers, body } = await api().ask<Job>(`/v1/jobs/${job.id}`);
    const etag = headers.get('etag') ?? '';
    expect(etag).toBe(`"${body.revision}"`);
    const before = await api().queries();
    const unchanged = await api().ask(`/v1/jobs/${job.id}`, { headers: { 'if-none-match': etag } });
    expect(unchanged).toMatchObject({ status: 304, text: '' });
    expect(unchanged.headers.get('etag')).toBe(etag);
    expect(unchanged.headers.get('retry-after')).toBe('1');
    expect(await api().queries()).toBe(before);
    await reportProgress(api().db, job.id, 1, { done: 1, total: 2, unit: 'rows', message: null });
    const changed = await api().ask<Job>(`/v1/jobs/${job.id}`, { headers: { 'if-none-match': etag } });
    expect(changed).toMatchObject({
      status: 200,
      body: { progress: { done: 1, total: 2, unit: 'rows', message: null } },
    });
    expect(changed.headers.get('etag')).not.toBe(etag);
  });

  test('answers HEAD as GET, without the body', async () => {
    const job = await api().submitted();
    const answer = await api().ask(`/v1/jobs/${job.id}`, { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(answer.headers.get('etag')).toBe('"1"');
  });

  test('of a failed job is 200, and its failure is data', async () => {
    const job = await api().running();
    const error = jobError('invalid-input', 'row 3 is no number', [
      { pointer: 'line 3', detail: 'no number' },
    ]);
    await api().recorded(job, { status: 'FAILED', endedAt: ended(), error });
    const answer = await api().ask(`/v1/jobs/${job.id}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('retry-after')).toBeNull();
    expect(Job.parse(answer.body)).toMatchObject({ status: 'FAILED', stage: null, error, source: 'record' });
  });

  test('with Prefer: wait answers as soon as something changes', async () => {
    const job = await api().running();
    const waiters = Array.from({ length: 50 }, () =>
      api().ask<Job>(`/v1/jobs/${job.id}`, { headers: { prefer: 'wait=30' } }),
    );
    await waitFor(
      async () => /perdure_waiters (\d+)/.exec((await api().ask('/metrics')).text)?.[1] === '50',
      {
        what: 'waiters',
      },
    );
    const before = await api().queries();
    await api().recorded(job, { status: 'UPLOADING', attempt: 1 });
    for (const answer of await Promise.all(waiters)) {
      expect(answer).toMatchObject({ status: 200, body: { status: 'UPLOADING' } });
      expect(answer.headers.get('preference-applied')).toBe('wait=30');
    }
    expect(await api().queries()).toBe(before);
  });

  test('with Prefer: wait and an ETag of before answers at once', async () => {
    const job = await api().running();
    const headers = { prefer: 'wait=30', 'if-none-match': '"1"' };
    expect(await api().ask(`/v1/jobs/${job.id}`, { headers })).toMatchObject({
      status: 200,
      body: { status: 'RUNNING' },
    });
  });

  test.each([
    [{}, 200],
    [{ 'if-none-match': '"1"' }, 304],
  ])('with Prefer: wait and %j answers %d when the time is over', async (more, status) => {
    const job = await api().submitted();
    const answer = await api().ask(`/v1/jobs/${job.id}`, { headers: { prefer: 'wait=1', ...more } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('preference-applied')).toBe('wait=1');
  });

  test('is UNKNOWN when Temporal has lost the workflow', async () => {
    const { start, tenantId, owner, parameters } = await api().rowOf(await api().submitted());
    const id = randomUUID();
    // Recorded as if it had run; Temporal has never heard of it.
    await createJob(api().db, { id, tenantId, owner, start, parameters });
    await api().recorded({ id }, { status: 'PENDING' });
    const answer = await api().ask(`/v1/jobs/${id}`);
    expect(Job.parse(answer.body)).toMatchObject({
      status: 'UNKNOWN',
      stage: null,
      source: 'record',
      revision: 2,
    });
    expect(answer.headers.get('etag')).toBe('"2.unknown"');
    expect((await api().ask(`/v1/jobs/${id}:cancel`, { method: 'POST' })).status).toBe(409);
  });

  test('says why a job waits', async () => {
    const waiting = async (request: object): Promise<unknown> => {
      const job = await api().submitted(request);
      await api().recorded(job, { status: 'PENDING' });
      return (await api().ask<Job>(`/v1/jobs/${job.id}`)).body.waitingReason;
    };
    expect(await waiting({ ...sleepJob, version: '1.0.0' })).toBeNull();
    expect(await waiting({ function: 'echo' })).toEqual({ kind: 'no-agent-serves' });
  });

  describe('another reason to wait', () => {
    /** A PENDING job for which there is no agent, and the ETag with which that was told. */
    async function forNobody(name: string) {
      const version = '1.0.0';
      await announceFunctions(api().db, [aFunction({ name })]);
      const job = await api().submitted({ function: name, parameters: { seconds: 1 } });
      await api().recorded(job, { status: 'PENDING' });
      const path = `/v1/jobs/${job.id}`;
      const { body, headers } = await api().ask<Job>(path);
      expect(body.waitingReason).toEqual({ kind: 'no-agent-serves' });
      const etag = headers.get('etag') ?? '';
      expect(etag).toBe(`"${body.revision}"`);
      const agent = anAgent({ id: `agent-of-${name}`, functions: [{ name, version }] });
      const come = async () => announceAgent(api().db, agent);
      return { path, etag, known: { 'if-none-match': etag }, come, revision: body.revision };
    }

    test('raises the revision: a conditional GET tells it, once', async () => {
      const { path, known, come, revision } = await forNobody('rare');
      for (let time = 0; time < 3; time++)
        expect((await api().ask(path, { headers: known })).status).toBe(304);
      await come();
      const answer = await waitFor(
        async () => {
          const one = await api().ask<Job>(path, { headers: known });
          return one.status === 200 ? one : undefined;
        },
        { what: 'the reason to be gone' },
      );
      expect(answer.body).toMatchObject({ waitingReason: null, revision: revision + 1 });
      const next = { 'if-none-match': answer.headers.get('etag') ?? '' };
      expect((await api().ask(path, { headers: next })).status).toBe(304);
    });

    test('wakes long polls', async () => {
      const { path, known, come, revision } = await forNobody('rarer');
      const polls = [
        api().ask<Job>(path, { headers: { ...known, prefer: 'wait=60' } }),
        api().ask<Job>(path, { headers: { prefer: 'wait=60' } }),
      ];
      await waitFor(async () => /perdure_waiters 2/.test((await api().ask('/metrics')).text), {
        what: 'the waiters',
      });
      await come();
      for (const { body } of await Promise.all(polls))
        expect(body).toMatchObject({ waitingReason: null, revision: revision + 1 });
    });
  });
});
