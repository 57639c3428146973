import { describe, expect, test } from '@jest/globals';
import { Job, JobPage } from '@perdure/job/schemas';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../../../../tests/support/wait.ts';
import { anotherTenant } from '../testing/api.ts';
import { apiWithoutWorkers, sleepJob } from '../testing/api-without-workers.ts';
import { ended } from '../testing/record.ts';

const api = apiWithoutWorkers();

const waitingForLock = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;

describe('submit', () => {
  test('answers 201 with the job, which is recorded and started', async () => {
    const answer = await api().ask('/v1/jobs', {
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
    const workflow = await api().client.workflow.getHandle(job.id).describe();
    expect(workflow).toMatchObject({ type: 'job', taskQueue: 'perdure', status: { name: 'RUNNING' } });
    const started = async (): Promise<boolean> => (await api().rowOf(job)).workflowStartedAt !== null;
    await waitFor(started, { what: 'the start to be noted' });
  });

  test('of a repeat with the same key answers with the first job', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const first = await api().ask<Job>('/v1/jobs', { json: sleepJob, headers });
    const again = await api().ask<Job>('/v1/jobs', {
      json: { parameters: { seconds: 1 }, function: 'sleep' },
      headers,
    });
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body.id).toBe(first.body.id);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
  });

  test('of another body with the same key is refused', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    await api().ask('/v1/jobs', { json: sleepJob, headers });
    const problem = await api().problem('/v1/jobs', { json: { ...sleepJob, name: 'other' }, headers });
    expect(problem).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
  });

  test('ten times at once with one key makes one job', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => api().ask<Job>('/v1/jobs', { json: sleepJob, headers })),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(9).fill(200), 201]);
  });

  test('waits for the first with its key, and is 409 only after that', async () => {
    const key = randomUUID();
    const { id } = await api().submitted();
    const headers = { 'idempotency-key': key };
    const repeat = () => api().ask<Job>('/v1/jobs', { json: sleepJob, headers });
    await api().ask('/v1/jobs', { json: sleepJob, headers: { 'idempotency-key': `${key}-other` } });
    // The first request, as it is before it commits.
    const first = await api().db.pool.connect();
    await first.query('begin');
    await first.query(
      `insert into idempotency_keys (tenant_id, caller, key, fingerprint, job_id)
      select tenant_id, caller, $1, fingerprint, $2 from idempotency_keys where key = $3`,
      [key, id, `${key}-other`],
    );
    const early = await repeat();
    expect(early).toMatchObject({ status: 409, body: { code: 'request-in-flight' } });
    const late = repeat();
    const waiting = async (): Promise<boolean> => (await api().db.pool.query(waitingForLock)).rowCount === 1;
    await waitFor(waiting, { what: 'the repeat to wait', everyMs: 5 });
    await first.query('commit');
    first.release();
    expect(await late).toMatchObject({ status: 200, body: { id } });
  });

  test('keeps the keys of two callers apart', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const [mine, other] = await Promise.all([
      api().ask<Job>('/v1/jobs', { json: sleepJob, headers }),
      api()
        .keyFor('member')
        .then((key) => api().ask<Job>('/v1/jobs', { json: sleepJob, headers, key })),
    ]);
    expect([mine.status, other.status]).toEqual([201, 201]);
    expect(mine.body.id).not.toBe(other.body.id);
  });

  test('takes an id of the client, once', async () => {
    const id = randomUUID();
    expect((await api().submitted({ ...sleepJob, id })).id).toBe(id);
    expect(await api().problem('/v1/jobs', { json: { ...sleepJob, id } })).toMatchObject({
      status: 409,
      code: 'id-taken',
    });
  });

  test.each([
    ['/v1/jobs', { ...sleepJob, validateOnly: true }],
    ['/v1/jobs?validateOnly=true', sleepJob],
  ])('to %s with validateOnly makes no job', async (path, json) => {
    const before = (await api().ask<JobPage>('/v1/jobs')).body.items[0]?.id;
    const answer = await api().ask(path, { json });
    expect(answer).toMatchObject({
      status: 200,
      body: { valid: true, function: { name: 'sleep', version: '1.1.0' } },
    });
    expect((await api().ask<JobPage>('/v1/jobs')).body.items[0]?.id).toBe(before);
  });

  test('sends large parameters through storage', async () => {
    const parameters = { text: 'x'.repeat(100_000) };
    const { id } = await api().submitted({ function: 'echo', parameters });
    const row = await api().rowOf({ id });
    expect(row.start.parameters).toEqual({});
    expect(row.parametersSha256).toMatch(/^[0-9a-f]{64}$/);
    expect((await api().ask<Job>(`/v1/jobs/${id}`)).body.parameters).toEqual(parameters);
  });

  test('with Prefer: wait answers with the end', async () => {
    const id = randomUUID();
    const asked = api().ask<Job>('/v1/jobs', { json: { ...sleepJob, id }, headers: { prefer: 'wait=20' } });
    await waitFor(async () => (await api().rowOf({ id })).workflowStartedAt, {
      what: 'the job to be started',
    });
    await api().recorded(
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

describe('a job for later', () => {
  const notBefore = new Date(Date.now() + 3_600_000).toISOString();

  test('is accepted at once, and says what it waits for', async () => {
    const zoned = notBefore.replace('Z', '+00:00');
    const job = await api().submitted({ ...sleepJob, notBefore: zoned });
    const scheduled = {
      status: 'CREATED',
      notBefore,
      queuedAt: null,
      waitingReason: { kind: 'scheduled', notBefore },
    };
    expect(Job.parse(job)).toMatchObject(scheduled);
    expect(Job.parse((await api().ask(`/v1/jobs/${job.id}`)).body)).toMatchObject(scheduled);
    const { items } = JobPage.parse((await api().ask('/v1/jobs?status=CREATED&pageSize=200')).body);
    expect(items.find(({ id }) => id === job.id)).toMatchObject(scheduled);
    const workflow = await api().client.workflow.getHandle(job.id).describe();
    expect(workflow.status.name).toBe('RUNNING');
  });

  test('that was due in the past waits for nothing', async () => {
    const past = '2026-01-01T00:00:00.000Z';
    const job = await api().submitted({ ...sleepJob, notBefore: past });
    expect(job).toMatchObject({ notBefore: past, waitingReason: null });
  });
});

describe('list', () => {
  test('goes through all jobs once, newest first', async () => {
    const ids = [];
    for (let i = 0; i < 7; i++)
      ids.unshift((await api().submitted({ function: 'echo', labels: { i: String(i) } })).id);
    const seen: string[] = [];
    let token = '';
    do {
      const { body } = await api().ask(`/v1/jobs?function=echo&pageSize=2${token}`);
      const page = JobPage.parse(body);
      seen.push(...page.items.map(({ id }) => id));
      token = page.nextPageToken === null ? '' : `&pageToken=${page.nextPageToken}`;
    } while (token !== '' && seen.length < 100);
    expect(seen.slice(0, 7)).toEqual(ids);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('filters by status', async () => {
    const job = await api().running();
    const { body } = await api().ask<JobPage>(
      '/v1/jobs?status=RUNNING,UPLOADING&status=PENDING&pageSize=200',
    );
    expect(body.items.map(({ id }) => id)).toContain(job.id);
    expect(body.items.every(({ status }) => ['RUNNING', 'UPLOADING', 'PENDING'].includes(status))).toBe(true);
  });

  test('takes a page token for the list it belongs to, and for no other', async () => {
    await api().submitted();
    await api().submitted();
    const { body } = await api().ask<JobPage>('/v1/jobs?pageSize=1&function=sleep');
    const token = body.nextPageToken;
    const foreign = await api().keyFor('member', await anotherTenant(api().db));
    expect((await api().ask(`/v1/jobs?function=sleep&pageToken=${token}`)).status).toBe(200);
    expect(await api().problem(`/v1/jobs?function=echo&pageToken=${token}`)).toMatchObject({ status: 422 });
    expect(await api().problem(`/v1/jobs?pageToken=${token}`)).toMatchObject({ status: 422 });
    const asked = { key: foreign };
    expect(await api().problem(`/v1/jobs?function=sleep&pageToken=${token}`, asked)).toMatchObject({
      status: 422,
    });
  });
});
