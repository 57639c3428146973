import { describe, expect, test } from '@jest/globals';
import { Batch, type Job, type JobPage } from '@perdure/job/schemas';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../../../../tests/support/wait.ts';
import { apiWithoutWorkers, sleepJob } from '../testing/api-without-workers.ts';

const api = apiWithoutWorkers();

async function submit(requests: unknown[], headers: Record<string, string> = {}): Promise<Batch['items']> {
  const answer = await api().ask('/v1/jobs:batch', { json: { requests }, headers });
  expect(answer.status).toBe(207);
  return Batch.parse(answer.body).items;
}

const idOf = (item: Batch['items'][number] | undefined): string =>
  item !== undefined && 'job' in item ? item.job.id : 'no job';
const codeOf = (item: Batch['items'][number] | undefined): string =>
  item !== undefined && 'problem' in item ? item.problem.code : 'no problem';
const newest = async (): Promise<string | undefined> =>
  (await api().ask<JobPage>('/v1/jobs')).body.items[0]?.id;

describe('a batch', () => {
  test('is answered item by item, in order, and a bad one does not stop the others', async () => {
    const id = randomUUID();
    const items = await submit([
      { ...sleepJob, name: 'first' },
      { function: 'nothing' },
      { function: 'sleep', parameters: {} },
      { ...sleepJob, id },
      { ...sleepJob, colour: 'red' },
      'nonsense',
      null,
      { ...sleepJob, id, name: 'late' },
      { ...sleepJob, validateOnly: true },
      { function: 'echo', name: 'last', notBefore: new Date(Date.now() + 3_600_000).toISOString() },
    ]);
    expect(items.map(({ status }) => status)).toEqual([201, 422, 422, 201, 422, 422, 422, 409, 200, 201]);
    expect(items.map(codeOf)).toEqual([
      ...['no problem', 'unknown-function', 'invalid-parameters', 'no problem', 'invalid-request'],
      ...['invalid-request', 'invalid-request', 'id-taken', 'no problem', 'no problem'],
    ]);
    expect(items[0]).toMatchObject({ job: { name: 'first', status: 'CREATED', revision: 1 } });
    expect(items[3]).toMatchObject({ job: { id, name: null } });
    expect(items[4]).toMatchObject({
      problem: { instance: '/v1/jobs:batch', errors: [{ pointer: '/colour' }] },
    });
    expect(items[8]).toMatchObject({ validated: { valid: true } });
    expect(items[9]).toMatchObject({ job: { name: 'last', waitingReason: { kind: 'scheduled' } } });
    const alone = await api().problem('/v1/jobs', { json: { function: 'sleep', parameters: {} } });
    const { headers: _headers, traceId: _trace, instance: _instance, ...problem } = alone;
    expect(items[2]).toMatchObject({ problem });
    for (const item of [items[0], items[3], items[9]]) {
      expect((await api().ask<Job>(`/v1/jobs/${idOf(item)}`)).body.id).toBe(idOf(item));
    }
  });

  test('of a thousand is stored, and every workflow is started behind the answer', async () => {
    const requests = Array.from({ length: 1_000 }, (_, i) => ({ function: 'echo', parameters: { i } }));
    const items = await submit(requests);
    expect(items.every(({ status }) => status === 201)).toBe(true);
    expect(new Set(items.map(idOf)).size).toBe(1_000);
    const [last] = items.slice(-1);
    expect(last).toMatchObject({ job: { parameters: { i: 999 } } });
    const started = async (): Promise<boolean> =>
      (await api().rowOf({ id: idOf(last) })).workflowStartedAt !== null;
    await waitFor(started, { what: 'the last to be started', timeoutMs: 30_000 });
    const workflow = await api().client.workflow.getHandle(idOf(items[500])).describe();
    expect(workflow.status.name).toBe('RUNNING');
  });

  test('with validateOnly makes no job', async () => {
    const before = await newest();
    const answer = await api().ask('/v1/jobs:batch?validateOnly=true', {
      json: { requests: [sleepJob, { function: 'nothing' }] },
    });
    expect(answer.status).toBe(207);
    expect(Batch.parse(answer.body).items).toMatchObject([
      { status: 200, validated: { function: { name: 'sleep', version: '1.1.0' } } },
      { status: 422 },
    ]);
    expect(await newest()).toBe(before);
  });

  test('sends large parameters through storage', async () => {
    const [item] = await submit([{ function: 'echo', parameters: { text: 'x'.repeat(100_000) } }]);
    expect(await api().rowOf({ id: idOf(item) })).toMatchObject({
      start: { parameters: {} },
      parametersSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test.each<[string, unknown, string]>([
    ['no requests', {}, '/requests'],
    ['none at all', { requests: [] }, '/requests'],
    ['1,001', { requests: Array.from({ length: 1_001 }, () => sleepJob) }, '/requests'],
    ['an unknown field', { requests: [sleepJob], atomic: true }, '/atomic'],
    ['a list', [sleepJob], ''],
  ])('with %s is refused as a whole', async (_, json, pointer) => {
    expect(await api().problem('/v1/jobs:batch', { json })).toMatchObject({
      status: 422,
      code: 'invalid-request',
      errors: [{ pointer }],
    });
  });
});

describe('a batch with a key', () => {
  const requests = [sleepJob, { function: 'nothing' }, { function: 'echo', parameters: { a: 1 } }];

  test('is answered the second time with the jobs of the first', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const first = await submit(requests, headers);
    const again = await submit(requests, headers);
    expect(first.map(({ status }) => status)).toEqual([201, 422, 201]);
    expect(again.map(({ status }) => status)).toEqual([200, 422, 200]);
    expect(again.map(idOf)).toEqual(first.map(idOf));
  });

  test.each<[string, unknown[]]>([
    ['another one', [sleepJob, sleepJob, sleepJob]],
    ['a shorter one', requests.slice(0, 2)],
    ['a longer one', [...requests, sleepJob]],
    ['the same in another order', [...requests].reverse()],
  ])('is refused as a whole when it is %s', async (_, other) => {
    const headers = { 'idempotency-key': randomUUID() };
    await submit(requests, headers);
    const before = await newest();
    const problem = await api().problem('/v1/jobs:batch', { json: { requests: other }, headers });
    expect(problem).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
    expect(await newest()).toBe(before);
  });

  test('shares it neither with a single submit before nor after', async () => {
    for (const order of [
      ['/v1/jobs', '/v1/jobs:batch'],
      ['/v1/jobs:batch', '/v1/jobs'],
    ] as const) {
      const headers = { 'idempotency-key': randomUUID() };
      const bodyOf = (path: string) => (path === '/v1/jobs' ? sleepJob : { requests: [sleepJob] });
      const [first, second] = order;
      expect((await api().ask(first, { json: bodyOf(first), headers })).status).toBeLessThan(300);
      expect(await api().problem(second, { json: bodyOf(second), headers })).toMatchObject({
        code: 'idempotency-key-reused',
      });
    }
  });

  test('that made no job leaves the key free', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    expect((await submit([{ function: 'nothing' }], headers)).map(({ status }) => status)).toEqual([422]);
    const taken = (await api().submitted()).id;
    expect((await submit([{ ...sleepJob, id: taken }], headers)).map(codeOf)).toEqual(['id-taken']);
    expect((await submit([sleepJob], headers)).map(({ status }) => status)).toEqual([201]);
  });

  test('twenty times at once makes each job once, and everybody gets them', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const many = Array.from({ length: 50 }, (_, i) => ({ function: 'echo', parameters: { i } }));
    const answers = await Promise.all(Array.from({ length: 20 }, () => submit(many, headers)));
    const ids = new Set(answers.map((items) => items.map(idOf).join()));
    expect(ids.size).toBe(1);
    const made = answers.flat().filter(({ status }) => status === 201);
    expect(made).toHaveLength(50);
  });

  test('and another one at the same time are not both accepted', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const bodies = [0, 1].map((n) => ({ requests: [{ function: 'echo', parameters: { n } }] }));
    const answers = await Promise.all(bodies.map((json) => api().ask('/v1/jobs:batch', { json, headers })));
    expect(answers.map(({ status }) => status).sort()).toEqual([207, 422]);
  });
});

test('an id that another request holds stops neither the others nor the answer', async () => {
  const id = randomUUID();
  const other = await api().db.pool.connect();
  await other.query('begin');
  await other.query(
    `insert into jobs select held.* from (select * from jobs limit 1) as job,
      jsonb_populate_record(null::jobs, to_jsonb(job) || jsonb_build_object('id', $1::text)) as held`,
    [id],
  );
  const items = await submit([sleepJob, { ...sleepJob, id }, { function: 'echo' }]).finally(() =>
    other.query('rollback').then(() => other.release()),
  );
  expect(items.map(({ status }) => status)).toEqual([201, 409, 201]);
  expect(items.map(codeOf)).toEqual(['no problem', 'request-in-flight', 'no problem']);
});
