import { beforeAll, expect, test } from '@jest/globals';
import { firstAdminId } from '@perdure/job/ids';
import { AuditEntry, AuditPage, type Job, type Key } from '@perdure/job/schemas';
import { waitFor } from '../../../../tests/support/wait.ts';
import { type ApiWithoutWorkers, apiWithoutWorkers } from '../testing/api-without-workers.ts';
import { anotherTenant } from '../testing/api.ts';

const api = apiWithoutWorkers();
let foreign: string;
beforeAll(async () => {
  foreign = await api().keyFor('admin', await anotherTenant(api().db));
});

async function entries(query: string, key = api().adminKey): Promise<AuditEntry[]> {
  const answer = await api().ask(`/v1/audit?${query}`, { key });
  expect([query, answer.status]).toEqual([query, 200]);
  return AuditPage.parse(answer.body).items;
}

/** The one that a refusal leaves: it comes a moment after the answer. */
const refusal = (query: string) =>
  waitFor(async () => (await entries(query))[0], { what: `an entry with ${query}` });

let count = 0;
const newPool = () => ({ name: `pool-${++count}` });
const createPool = (json: object = newPool(), asked: Parameters<ApiWithoutWorkers['ask']>[1] = {}) =>
  api().ask('/v1/pools', { json, ...asked });

test('an entry says who did what to what, when, from where and in which request', async () => {
  const pool = newPool();
  const { body: key } = await api().ask<Key>('/v1/me');
  await createPool(pool, { headers: { 'x-request-id': 'order-4711' } });
  const [entry, ...others] = await entries(`target=${pool.name}`);
  expect(others).toEqual([]);
  expect(entry).toMatchObject({
    actor: { kind: 'user', id: firstAdminId, keyId: (key as unknown as { keyId: string }).keyId },
    action: 'createPool',
    target: { kind: 'pool', id: pool.name },
    outcome: 'done',
    code: null,
    reason: null,
    requestId: 'order-4711',
    address: '127.0.0.1',
  });
  expect(Math.abs(Date.now() - Date.parse(entry?.at ?? ''))).toBeLessThan(5_000);
});

test('the reason that was given is kept, also where what is asked for is refused', async () => {
  const { id } = await api().submitted();
  await api().recorded({ id }, { status: 'COMPLETED', endedAt: new Date().toISOString() });
  await api().ask(`/v1/jobs/${id}:archive`, { json: { reason: 'looked at' } });
  expect(await entries(`target=${id}&action=archiveJob`)).toMatchObject([
    { outcome: 'done', reason: 'looked at' },
  ]);
  const json = { anyone: true, reason: 'too slow' };
  expect((await api().ask(`/v1/jobs/${id}:reassign`, { json })).status).toBe(409);
  expect(await refusal(`target=${id}&outcome=refused`)).toMatchObject({
    action: 'reassignJob',
    code: 'transition-refused',
    reason: 'too slow',
  });
});

test('what a workflow is asked for is entered before, and how it was refused after', async () => {
  const { id } = await api().submitted();
  await api().ask(`/v1/jobs/${id}:cancel`, { json: { reason: 'a mistake' } });
  expect(await entries(`target=${id}&outcome=asked`)).toMatchObject([
    { action: 'cancelJob', reason: 'a mistake', code: null },
  ]);
  await api().client.workflow.getHandle(id).terminate();
  expect((await api().ask(`/v1/jobs/${id}:cancel`, { json: {} })).status).toBe(409);
  expect(await refusal(`target=${id}&outcome=refused`)).toMatchObject({
    action: 'cancelJob',
    code: 'transition-refused',
  });
  expect(await entries(`target=${id}&outcome=asked`)).toHaveLength(2);
});

test.each([
  [403, () => createPool(newPool(), { key: member }), 'createPool', 'forbidden', null],
  [404, () => api().ask('/v1/pools/none', { method: 'DELETE' }), 'deletePool', 'not-found', 'none'],
  [
    409,
    async () => (await createPool({ name: 'twice' }), createPool({ name: 'twice' })),
    'createPool',
    'id-taken',
    null,
  ],
  [422, () => createPool({ name: 'NOT A NAME' }), 'createPool', 'invalid-request', null],
  [400, () => api().ask('/v1/pools', { raw: '{', headers: asJson }), 'createPool', 'malformed-request', null],
  [
    415,
    () => api().ask('/v1/pools', { raw: '{', headers: { 'content-type': 'text/plain' } }),
    'createPool',
    'unsupported-media-type',
    null,
  ],
  [
    412,
    () =>
      api().ask(`/v1/users/${firstAdminId}`, { method: 'PATCH', json: {}, headers: { 'if-match': '"77"' } }),
    'changeUser',
    'precondition-failed',
    firstAdminId,
  ],
])('a %i is entered', async (status, call, action, code, target) => {
  member = await api().keyFor('member');
  expect((await call()).status).toBe(status);
  const find = async () =>
    (await entries(`action=${action}&outcome=refused`)).find((entry) => entry.code === code);
  expect((await waitFor(find, { what: `the ${status} to be entered` })).target?.id).toBe(target);
});
const asJson = { 'content-type': 'application/json' };
let member: string;

test('who is not let in, and what only reads, leaves no entry', async () => {
  const before = (await entries('pageSize=1'))[0];
  await createPool(newPool(), { key: null });
  await createPool(newPool(), { key: `pk_${'x'.repeat(43)}` });
  await api().ask('/v1/jobs/none');
  await api().ask('/v1/users', { key: await api().keyFor('member') });
  // What is refused last is entered last.
  await createPool({ name: 'LAST' });
  const after = await waitFor(
    async () => {
      const items = await entries('pageSize=5');
      return items[0]?.id === before?.id ? undefined : items;
    },
    { what: 'an entry' },
  );
  expect(after[0]).toMatchObject({ action: 'createPool', code: 'invalid-request' });
  expect(after[1]?.id).toBe(before?.id);
});

test('what changes nothing leaves no entry: a check, a repeat, a cancel of what is over', async () => {
  const headers = { 'idempotency-key': 'once' };
  const json = { function: 'echo', name: 'audited' };
  const { body: job } = await api().ask<Job>('/v1/jobs', { json, headers });
  const [before] = await entries('pageSize=1');
  expect(before).toMatchObject({ action: 'submitJob', target: { kind: 'job', id: job.id } });
  expect((await api().ask('/v1/jobs', { json, headers })).status).toBe(200);
  expect((await api().ask('/v1/jobs?validateOnly=true', { json })).status).toBe(200);
  await api().recorded(job, { status: 'COMPLETED', endedAt: new Date().toISOString() });
  expect((await api().ask(`/v1/jobs/${job.id}:cancel`, { json: {} })).status).toBe(200);
  expect((await entries('pageSize=1'))[0]).toEqual(before);
});

test('each job of a batch has an entry, made or refused', async () => {
  const requests = [{ function: 'echo' }, { function: 'nothing' }, { function: 'echo' }];
  const { body, headers } = await api().ask<{ items: { job?: Job }[] }>('/v1/jobs:batch', {
    json: { requests },
  });
  const requestId = headers.get('x-request-id');
  const find = async () => {
    const items = (await entries('action=submitJobs')).filter((entry) => entry.requestId === requestId);
    return items.length === 3 ? items : undefined;
  };
  const items = await waitFor(find, { what: 'three entries' });
  const made = items.filter(({ outcome }) => outcome === 'done').map(({ target }) => target?.id);
  expect(made.sort()).toEqual(body.items.flatMap(({ job }) => job?.id ?? []).sort());
  expect(items.find(({ outcome }) => outcome === 'refused')).toMatchObject({ code: 'unknown-function' });
});

test('what cannot be entered is not done', async () => {
  const { db } = api();
  const pool = newPool();
  const { body: job } = await api().ask<Job>('/v1/jobs', { json: { function: 'echo' } });
  await db.pool.query('alter table audit_entries add constraint closed check (false) not valid');
  try {
    expect((await createPool(pool)).status).toBe(500);
    expect((await api().ask('/v1/jobs', { json: { function: 'echo', name: 'unseen' } })).status).toBe(500);
    expect((await api().ask(`/v1/jobs/${job.id}:cancel`, { json: {} })).status).toBe(500);
  } finally {
    await db.pool.query('alter table audit_entries drop constraint closed');
  }
  expect((await api().ask(`/v1/pools/${pool.name}`)).status).toBe(404);
  expect((await api().ask<{ items: [] }>('/v1/jobs?q=unseen')).body.items).toEqual([]);
  const { events } = await api().client.workflow.getHandle(job.id).fetchHistory();
  expect(events?.filter((event) => event.workflowExecutionSignaledEventAttributes)).toEqual([]);
});

test('filters are joined by and', async () => {
  const pool = newPool();
  await createPool(pool);
  const [entry] = await entries(`target=${pool.name}`);
  const at = encodeURIComponent(entry?.at ?? '');
  const all = `actor=${firstAdminId}&action=createPool&target=${pool.name}&targetKind=pool&outcome=done&since=${at}`;
  expect(await entries(all)).toEqual([entry]);
  for (const other of ['actor=ada', 'action=deletePool', 'targetKind=job', 'outcome=failed', `until=${at}`]) {
    const [name = ''] = other.split('=');
    const rest = all.split('&').filter((one) => !one.startsWith(`${name}=`));
    expect(await entries([...rest, other].join('&'))).toEqual([]);
  }
  expect((await api().problem('/v1/audit?colour=red')).status).toBe(422);
});

test('pages meet each entry once; their tokens work for this list of this tenant alone', async () => {
  for (let left = 5; left > 0; left--) await createPool();
  const seen: string[] = [];
  let token: string | null = '';
  while (token !== null) {
    const query: string = token === '' ? '' : `&pageToken=${token}`;
    const { body } = await api().ask<AuditPage>(`/v1/audit?action=createPool&pageSize=2${query}`);
    seen.push(...body.items.map(({ id }) => id));
    token = body.nextPageToken;
    if (token === null || seen.length > 2) continue;
    const other = `/v1/audit?action=deletePool&pageSize=2&pageToken=${token}`;
    expect((await api().problem(other)).status).toBe(422);
    const theirs = `/v1/audit?action=createPool&pageSize=2&pageToken=${token}`;
    expect((await api().problem(theirs, { key: foreign })).status).toBe(422);
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toEqual((await entries('action=createPool&pageSize=200')).map(({ id }) => id));
});

test('all of it comes as ndjson', async () => {
  for (let left = 3; left > 0; left--) await createPool();
  const accept = { accept: 'application/x-ndjson' };
  const answer = await api().ask('/v1/audit?action=createPool&pageSize=1', { headers: accept });
  expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
  const lines = answer.text.trimEnd().split('\n');
  expect(lines.map((line) => AuditEntry.parse(JSON.parse(line)))).toEqual(
    await entries('action=createPool&pageSize=200'),
  );
  const headers = { accept: 'text/html' };
  expect((await api().problem('/v1/audit', { headers })).status).toBe(406);
  expect(await api().ask('/v1/audit', { method: 'HEAD', headers: accept })).toMatchObject({
    status: 200,
    text: '',
  });
});

test('it is for admins, and tells of their own tenant alone', async () => {
  for (const role of ['operator', 'member', 'agent'] as const)
    expect((await api().problem('/v1/audit', { key: await api().keyFor(role) })).status).toBe(403);
  await createPool({ name: 'theirs' }, { key: foreign });
  expect(await entries('pageSize=200', foreign)).toMatchObject([{ target: { id: 'theirs' } }]);
  expect(await entries('target=theirs')).toEqual([]);
});
