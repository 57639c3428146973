import { beforeAll, describe, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { AccessList, type Job, JobPage, NewKey, Problem, User } from '@perdure/job/schemas';
import { anotherTenant } from '../testing/api.ts';
import { apiWithoutWorkers, sleepJob } from '../testing/api-without-workers.ts';

const api = apiWithoutWorkers();
const nobody = '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70';

type Person = { id: string; email: string; key: string };
let people = 0;

async function aPerson(role: User['role'] = 'member'): Promise<Person> {
  const email = `person-${++people}@example.com`;
  const { id } = User.parse((await api().ask('/v1/users', { json: { email, displayName: 'A', role } })).body);
  const { key } = NewKey.parse((await api().ask('/v1/keys', { json: { userId: id, name: 'a' } })).body);
  return { id, email, key };
}

async function jobOf({ key }: Person, request: object = sleepJob): Promise<Job> {
  const answer = await api().ask<Job>('/v1/jobs', { json: request, key });
  expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
  return answer.body;
}

async function fileOf({ key }: Person): Promise<string> {
  const { body } = await api().ask('/v1/files', { raw: `bytes ${Math.random()}`, key });
  return String(body['id']);
}

type Access = 'viewer' | 'editor' | 'owner';
const share = (path: string, { key }: Person, { id }: { id: string }, access: Access = 'viewer') =>
  api().ask(`${path}/access`, { method: 'PUT', json: { user: { id }, access }, key });
const unshare = (path: string, { key }: Person, { id }: { id: string }) =>
  api().ask(`${path}/access/${id}`, { method: 'DELETE', key });
const statusFor = async ({ key }: Person, path: string, method = 'GET') =>
  (await api().ask(path, { method, key })).status;
const listOf = async ({ key }: Person, query = '') =>
  JobPage.parse((await api().ask(`/v1/jobs?${query}`, { key })).body);
const listed = async (person: Person, query = '') => (await listOf(person, query)).items.map(({ id }) => id);

let ada: Person;
let bob: Person;
let job: Job;
let path: string;
beforeAll(async () => {
  [ada, bob] = [await aPerson(), await aPerson()];
  job = await jobOf(ada);
  path = `/v1/jobs/${job.id}`;
});

const withoutIds = ({ instance: _path, traceId: _trace, ...problem }: Problem) => problem;

describe('a job', () => {
  test('is to another member of the tenant as if it were not there', async () => {
    for (const [method, rest] of [
      ['GET', ''],
      ['GET', '/history'],
      ['GET', '/logs'],
      ['GET', '/logs?follow=true'],
      ['GET', '/events'],
      ['GET', '/result'],
      ['GET', '/access'],
      ['POST', ':cancel'],
      ['POST', ':archive'],
      ['POST', ':restore'],
      ['POST', ':rerun'],
      ['DELETE', `/access/${bob.id}`],
    ] as const) {
      const asked = { method, key: bob.key };
      const { headers: _one, ...problem } = await api().problem(`${path}${rest}`, asked);
      const { headers: _other, ...none } = await api().problem(`/v1/jobs/${nobody}${rest}`, asked);
      expect([rest, problem.status, withoutIds(problem)]).toEqual([rest, 404, withoutIds(none)]);
    }
    for (const prefer of ['wait=1', 'wait=0']) {
      const { status } = await api().ask(path, { key: bob.key, headers: { prefer, 'if-none-match': '"1"' } });
      expect(status).toBe(404);
    }
    expect(await listed(bob)).toEqual([]);
    expect(await statusFor(await aPerson('operator'), path)).toBe(200);
  });

  test('is read by a viewer, steered by an editor, and given on by an owner', async () => {
    const [viewer, editor, owner] = [await aPerson(), await aPerson(), await aPerson()];
    for (const [person, access] of [
      [viewer, 'viewer'],
      [editor, 'editor'],
      [owner, 'owner'],
    ] as const) {
      expect((await share(path, ada, person, access)).body).toMatchObject({ access, grantedBy: ada.id });
      for (const rest of ['', '/history', '/logs', '/access'])
        expect([access, rest, await statusFor(person, `${path}${rest}`)]).toEqual([access, rest, 200]);
      expect(await statusFor(person, `${path}/result`)).toBe(409);
      expect(await listed(person)).toEqual([job.id]);
    }
    const rerun = (person: Person) => statusFor(person, `${path}:rerun`, 'POST');
    expect([await rerun(viewer), await rerun(editor)]).toEqual([403, 409]);
    const archive = (person: Person) => statusFor(person, `${path}:archive`, 'POST');
    expect([await archive(viewer), await archive(editor)]).toEqual([403, 409]);
    expect(await statusFor(viewer, `${path}:cancel`, 'POST')).toBe(403);
    expect(await statusFor(editor, `${path}:cancel`, 'POST')).toBe(202);
    expect([(await share(path, editor, bob)).status, (await unshare(path, editor, bob)).status]).toEqual([
      403, 403,
    ]);
    expect((await share(path, owner, bob)).status).toBe(200);
    expect(await statusFor(bob, path)).toBe(200);
    expect((await unshare(path, owner, bob)).status).toBe(204);
    expect([await statusFor(bob, path), await listed(bob)]).toEqual([404, []]);
  });

  test('says who has access, the owner first', async () => {
    const own = await jobOf(ada);
    const put = (json: object) =>
      api().ask(`/v1/jobs/${own.id}/access`, { method: 'PUT', json, key: ada.key });
    const first = await put({
      user: { email: bob.email.toUpperCase() },
      access: 'editor',
      reason: 'on call',
    });
    expect(first.status).toBe(200);
    const again = await put({ user: { id: bob.id }, access: 'editor' });
    expect(again.body).toEqual(first.body);
    expect((await put({ user: { id: ada.id }, access: 'owner' })).status).toBe(200);
    const { items } = AccessList.parse((await api().ask(`/v1/jobs/${own.id}/access`, { key: bob.key })).body);
    expect(items).toMatchObject([
      { user: { id: ada.id, email: ada.email }, access: 'owner', grantedBy: null },
      { user: { id: bob.id, email: bob.email }, access: 'editor', grantedBy: ada.id, reason: 'on call' },
    ]);
  });

  test('is given to users of the tenant, and not taken from its owner', async () => {
    const stranger = await api().userWith('member', await anotherTenant(api().db));
    const put = (json: object) => api().problem(`${path}/access`, { method: 'PUT', json, key: ada.key });
    const cases: [object, string][] = [
      [{ user: { id: stranger.id }, access: 'viewer' }, '/user/id'],
      [{ user: { email: 'nobody@example.com' }, access: 'viewer' }, '/user/email'],
      [{ user: { id: ada.id }, access: 'viewer' }, '/access'],
      [{ user: { id: bob.id }, access: 'admin' }, '/access'],
      [{ user: { id: bob.id, email: bob.email }, access: 'viewer' }, '/user'],
    ];
    for (const [json, pointer] of cases)
      expect(await put(json)).toMatchObject({ status: 422, errors: [{ pointer }] });
    const answer = await api().problem(`${path}/access/${ada.id}`, { method: 'DELETE', key: ada.key });
    expect(answer).toMatchObject({ status: 422, errors: [{ pointer: 'path/userId' }] });
    expect((await unshare(path, ada, { id: nobody })).status).toBe(204);
  });
});

test('lists have what is owned and what was given, on pages that are nobody else’s', async () => {
  const [eve, dan] = [await aPerson(), await aPerson()];
  const jobs: string[] = [];
  for (const person of [eve, dan, eve, ada, dan]) jobs.push((await jobOf(person)).id);
  await share(`/v1/jobs/${jobs[1]}`, dan, eve);
  const visible = [jobs[2], jobs[1], jobs[0]];
  expect(await listed(eve)).toEqual(visible);
  expect(await listed(eve, `owner=${dan.id}&function=sleep`)).toEqual([jobs[1]]);
  expect(await listed(eve, 'sort=createdAt&status=CREATED,PENDING')).toEqual([...visible].reverse());
  const first = await listOf(eve, 'pageSize=2');
  const next = `pageSize=2&pageToken=${first.nextPageToken}`;
  expect([...first.items.map(({ id }) => id), ...(await listed(eve, next))]).toEqual(visible);
  for (const key of [dan.key, api().adminKey])
    expect((await api().problem(`/v1/jobs?${next}`, { key })).status).toBe(422);
});

test('what tells of all jobs is not for members', async () => {
  expect([await statusFor(bob, '/v1/events'), await statusFor(bob, '/v1/jobs:counts')]).toEqual([403, 403]);
});

test('an agent shows a member no jobs but its own', async () => {
  const own = await jobOf(bob);
  for (const { id } of [job, own])
    await api().recorded({ id }, { status: 'RUNNING', attempt: 1, agentId: 'agent-1' });
  const shown = async ({ key }: { key: string }) => {
    const { body } = await api().ask<{ jobs: { id: string }[] }>('/v1/agents/agent-1', { key });
    return body.jobs.map(({ id }) => id).filter((id) => [job.id, own.id].includes(id));
  };
  expect(await shown(bob)).toEqual([own.id]);
  expect((await shown({ key: api().adminKey })).sort()).toEqual([job.id, own.id].sort());
});

describe('a file', () => {
  test('is read by whom it was given, and no job reads it for others', async () => {
    const [mine, carl] = [await fileOf(ada), await aPerson()];
    const of = `/v1/files/${mine}`;
    const submitted = (key: string, validateOnly = false) =>
      api().ask('/v1/jobs', {
        json: { function: 'predict', parameters: { model: mine }, validateOnly },
        key,
      });
    const readers = async (person: Person) =>
      Promise.all([
        statusFor(person, of),
        statusFor(person, `${of}/content`),
        statusFor(person, `${of}/access`),
      ]);
    expect(await readers(carl)).toEqual([404, 404, 404]);
    const refused = await submitted(carl.key);
    expect([refused.status, refused.body['code']]).toEqual([422, 'unknown-file']);
    expect((await submitted(carl.key, true)).status).toBe(422);
    expect((await share(of, ada, carl)).status).toBe(200);
    expect(await readers(carl)).toEqual([200, 200, 200]);
    expect((await share(of, carl, bob)).status).toBe(403);
    expect((await submitted(carl.key)).status).toBe(201);
    expect((await unshare(of, ada, carl)).status).toBe(204);
    expect(await readers(carl)).toEqual([404, 404, 404]);
  });

  test('of a result is as visible as its job; one among its parameters is not', async () => {
    const [input, carl] = [await fileOf(ada), await aPerson()];
    const own = await jobOf(ada, { function: 'predict', parameters: { model: input } });
    const fileId = crypto.randomUUID();
    const bytes = { name: 'r.csv', mediaType: 'text/csv', size: 1, sha256: 'a'.repeat(64) };
    const outcome = { output: null, files: [{ fileId, ...bytes }], resultFile: 'r.csv' };
    await api().recorded(own, { status: 'COMPLETED', endedAt: new Date().toISOString(), outcome });
    expect(await statusFor(carl, `/v1/files/${fileId}`)).toBe(404);
    await share(`/v1/jobs/${own.id}`, ada, carl, 'editor');
    expect(await statusFor(carl, `/v1/files/${fileId}`)).toBe(200);
    expect(await statusFor(carl, `/v1/files/${input}`)).toBe(404);
    const rerun = { method: 'POST', key: carl.key };
    expect(await api().problem(`/v1/jobs/${own.id}:rerun`, rerun)).toMatchObject({ code: 'unknown-file' });
    await share(`/v1/files/${input}`, ada, carl);
    expect((await api().ask(`/v1/jobs/${own.id}:rerun`, rerun)).status).toBe(201);
  });
});

test('a job that is no longer kept is gone to its owner, and to others as if it had never been', async () => {
  const own = await jobOf(ada);
  await share(`/v1/jobs/${own.id}`, ada, bob);
  await api().db.kysely.deleteFrom('jobs').where('id', '=', own.id).execute();
  const stone = {
    owner: ada.id,
    functionName: 'sleep',
    functionVersion: '1.1.0',
    status: 'COMPLETED',
  } as const;
  const times = { createdAt: own.createdAt, endedAt: own.createdAt, purgedAt: own.createdAt };
  const row = { id: own.id, tenantId: defaultTenantId, ...stone, ...times };
  await api().db.kysely.insertInto('purgedJobs').values(row).execute();
  const of = `/v1/jobs/${own.id}`;
  expect([await statusFor(ada, of), await statusFor(bob, of)]).toEqual([410, 404]);
});
