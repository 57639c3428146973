import { describe, expect, test } from '@jest/globals';
import { firstAdminId } from '@perdure/job/ids';
import { History, type Job, JobCounts, JobPage } from '@perdure/job/schemas';
import { anotherTenant } from '../testing/api.ts';
import { apiWithoutWorkers, sleepJob } from '../testing/api-without-workers.ts';
import { ended } from '../testing/record.ts';

const api = apiWithoutWorkers();

async function completed(request: object = sleepJob): Promise<Job> {
  const job = await api().running(request);
  await api().recorded(job, {
    status: 'COMPLETED',
    endedAt: ended(),
    outcome: { output: { a: 1 }, files: [], resultFile: null },
  });
  return job;
}

async function listed(query: string, key?: string): Promise<string[]> {
  const { status, body } = await api().ask(`/v1/jobs?${query}`, { key });
  expect(status).toBe(200);
  return JobPage.parse(body).items.map(({ id }) => id);
}

const read = async (id: string): Promise<Job> => (await api().ask<Job>(`/v1/jobs/${id}`)).body;

const post = (job: { id: string }, verb: string, asked: object = {}) =>
  api().ask<Job>(`/v1/jobs/${job.id}:${verb}`, { method: 'POST', ...asked });

describe('lists', () => {
  test('a job is found by each of its properties, at once', async () => {
    const before = new Date().toISOString();
    const job = await completed({
      ...sleepJob,
      name: 'Nightly run, 100% north',
      labels: { team: 'north', a: 'b:c' },
    });
    const { createdAt, endedAt } = await read(job.id);
    const alone = [
      'label=team:north',
      'label=team:north&label=a:b:c',
      `q=${encodeURIComponent('RUN, 100% n')}`,
      `q=north&status=COMPLETED,FAILED&function=sleep&agent=agent-1&owner=${firstAdminId}&createdAfter=${createdAt}`,
      `endedAfter=${before}&endedBefore=${new Date(Date.parse(String(endedAt)) + 1).toISOString()}&q=north`,
      `sort=endedAt&q=north`,
      `q=north&createdAfter=${encodeURIComponent(createdAt.replace('Z', '+00:00'))}`,
    ];
    for (const query of alone) expect([query, await listed(query)]).toEqual([query, [job.id]]);
    for (const query of [
      'q=northern',
      'label=team:south',
      `createdBefore=${createdAt}&q=north`,
      'pool=gpu',
      'model=none',
    ])
      expect([query, await listed(query)]).toEqual([query, []]);
    expect(await listed('q=north', await api().keyFor('member', await anotherTenant(api().db)))).toEqual([]);
  });

  test('a token is good for no other filter and no other sort', async () => {
    await api().submitted();
    await api().submitted();
    const { body } = await api().ask<JobPage>(`/v1/jobs?pageSize=1&owner=${firstAdminId}`);
    const token = `pageToken=${body.nextPageToken}`;
    expect((await api().ask(`/v1/jobs?owner=${firstAdminId}&${token}`)).status).toBe(200);
    for (const other of [
      'sort=createdAt',
      'archived=any',
      'label=a:b',
      'createdAfter=2026-01-01T00:00:00Z',
      'q=abc',
    ]) {
      const problem = await api().problem(`/v1/jobs?owner=${firstAdminId}&${other}&${token}`);
      expect(problem).toMatchObject({ status: 422, errors: [{ pointer: 'query/pageToken' }] });
    }
  });

  test.each([
    ['q=ab', 'query/q'],
    ['label=north', 'query/label/0'],
    ['archived=perhaps', 'query/archived'],
    ['sort=name', 'query/sort'],
    ['createdAfter=yesterday', 'query/createdAfter'],
    ['endedBefore=0000-01-01T00:00:00Z', 'query/endedBefore'],
    ['colour=red', 'query/colour'],
  ])('%s is refused, and named', async (query, pointer) => {
    const problem = await api().problem(`/v1/jobs?${query}`);
    expect(problem).toMatchObject({ status: 422, code: 'invalid-request' });
    expect(JSON.stringify(problem)).toContain(pointer.split('/')[1]);
  });

  test('a zone that PostgreSQL does not know is understood', async () => {
    expect(await listed(`createdBefore=${encodeURIComponent('1999-01-01T00:00:00.1234567+23:59')}`)).toEqual(
      [],
    );
  });
});

describe('counts', () => {
  test('follow what happens at once, for each tenant alone', async () => {
    const counts = async () => JobCounts.parse((await api().ask('/v1/jobs:counts')).body);
    const before = await counts();
    const job = await completed();
    await api().submitted();
    const then = await counts();
    expect(then.counts.COMPLETED - before.counts.COMPLETED).toBe(1);
    expect(then.counts.CREATED - before.counts.CREATED).toBe(1);
    await post(job, 'archive');
    expect(await counts()).toMatchObject({
      counts: { COMPLETED: before.counts.COMPLETED },
      archived: before.archived + 1,
    });
  });
});

describe('archive', () => {
  test('an archived job is out of the lists and readable as before, and comes back', async () => {
    const job = await completed({ ...sleepJob, labels: { kept: 'here' } });
    const before = await read(job.id);
    const archived = await post(job, 'archive', { json: { reason: 'old' } });
    expect(archived).toMatchObject({ status: 200, body: { status: 'COMPLETED', output: { a: 1 } } });
    expect(archived.body.revision).toBe(before.revision + 1);
    expect(archived.headers.get('etag')).toBe(`"${archived.body.revision}"`);
    expect(await read(job.id)).toMatchObject({ ...archived.body, asOf: expect.any(String) });
    expect((await api().ask(`/v1/jobs/${job.id}/result`)).body).toEqual({ a: 1 });
    expect(await listed('label=kept:here')).toEqual([]);
    expect(await listed('label=kept:here&archived=true')).toEqual([job.id]);
    expect(await listed('label=kept:here&archived=any')).toEqual([job.id]);
    const restored = await post(job, 'restore');
    expect(restored.body).toMatchObject({ archivedAt: null, revision: before.revision + 2 });
    expect(await listed('label=kept:here')).toEqual([job.id]);
    const history = History.parse((await api().ask(`/v1/jobs/${job.id}/history`)).body);
    expect(history.items).toHaveLength(4);
    expect(history.archivings).toMatchObject([
      { revision: before.revision + 1, kind: 'archived', actor: firstAdminId, reason: 'old' },
      { revision: before.revision + 2, kind: 'restored', actor: firstAdminId, reason: null },
    ]);
  });

  test('a second time changes nothing, and of many at once one does it', async () => {
    const job = await completed();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(job, 'archive')));
    expect(
      new Set(answers.map(({ status, body }) => `${status} ${body.revision} ${body.archivedAt}`)).size,
    ).toBe(1);
    const { archivings } = (await api().ask<History>(`/v1/jobs/${job.id}/history`)).body;
    expect(archivings).toHaveLength(1);
    await post(job, 'restore');
    const twice = await post(job, 'restore');
    expect(twice).toMatchObject({ status: 200, body: { archivedAt: null } });
  });

  test('a job that is under way cannot be archived', async () => {
    const job = await api().running();
    const problem = await api().problem(`/v1/jobs/${job.id}:archive`, { method: 'POST' });
    expect(problem).toMatchObject({ status: 409, code: 'transition-refused' });
    expect(problem.detail).toContain('cancel it first');
    expect(await post(job, 'restore')).toMatchObject({ status: 200, body: { archivedAt: null } });
  });

  test('is done only at the revision that is named', async () => {
    const job = await completed();
    const { revision } = await read(job.id);
    const stale = { method: 'POST', headers: { 'if-match': `"${revision - 1}"` } };
    expect(await api().problem(`/v1/jobs/${job.id}:archive`, stale)).toMatchObject({ status: 412 });
    expect((await read(job.id)).archivedAt).toBeNull();
    const known = { headers: { 'if-match': `"${revision}"` } };
    expect((await post(job, 'archive', known)).status).toBe(200);
    expect((await post(job, 'restore', known)).status).toBe(412);
  });

  test('of a job of somebody else, or of none, is 404; agents may not', async () => {
    const job = await completed();
    const tenantId = '00000000-0000-7000-8000-0000000000ab';
    await api().db.kysely.insertInto('tenants').values({ tenantId, name: 'third' }).execute();
    const key = await api().keyFor('member', tenantId);
    for (const path of [`/v1/jobs/${job.id}:archive`, '/v1/jobs/none:restore'])
      expect(await api().problem(path, { method: 'POST', key })).toMatchObject({ status: 404 });
    const agent = await api().keyFor('agent');
    expect(await api().problem(`/v1/jobs/${job.id}:archive`, { method: 'POST', key: agent })).toMatchObject({
      status: 403,
    });
    expect((await read(job.id)).archivedAt).toBeNull();
  });
});
