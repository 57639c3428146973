import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId, firstAdminId } from '@perdure/job/ids';
import { mayDo, type Permission, roles } from '@perdure/job/permissions';
import { KeyPage, Me, NewKey } from '@perdure/job/schemas';
import { waitFor } from '../../../../tests/support/wait.ts';
import { anotherTenant, startApi, type TestApi } from '../testing/api.ts';
import { announceAll } from '../testing/catalogue.ts';

let api: TestApi;
let foreign: string;
beforeAll(async () => {
  api = await startApi();
  await announceAll(api.db);
  foreign = await api.keyFor('admin', await anotherTenant(api.db));
});
afterAll(() => api.stop());

const nobody = '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70';

async function made(request: object): Promise<NewKey> {
  const answer = await api.ask('/v1/keys', { json: request });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  return NewKey.parse(answer.body);
}

test('the admin key of the configuration opens a fresh installation', async () => {
  const me = Me.parse((await api.ask('/v1/me')).body);
  expect(me).toMatchObject({
    role: 'admin',
    tenantId: defaultTenantId,
    tenantName: 'default',
    name: 'admin',
  });
  expect(me.user).toMatchObject({ id: firstAdminId, kind: 'service', displayName: 'admin', role: 'admin' });
  expect(me.permissions).toContain('tenants.manage');
});

test('a key is shown once, works, and is listed without its secret', async () => {
  const { key, id, ...rest } = await made({
    name: 'import',
    role: 'operator',
    expiresAt: '2100-01-01T00:00:00Z',
  });
  expect(key).toMatch(/^pk_[\w-]{43}$/);
  expect(rest).toMatchObject({ role: 'operator', prefix: key.slice(0, 6), lastFour: key.slice(-4) });
  const me = Me.parse((await api.ask('/v1/me', { key })).body);
  expect(me).toMatchObject({
    keyId: id,
    name: 'import',
    role: 'operator',
    expiresAt: '2100-01-01T00:00:00.000Z',
  });
  const listed = await api.ask('/v1/keys');
  expect(KeyPage.parse(listed.body).items.map((one) => one.id)).toContain(id);
  expect(listed.text).not.toContain(key);
});

test('a key is a member unless it is said otherwise, or speaks for an agent', async () => {
  expect((await made({ name: 'a' })).role).toBe('member');
  expect(await made({ name: 'b', agentId: 'agent-1' })).toMatchObject({ role: 'agent', agentId: 'agent-1' });
});

test('a revoked key is refused within about a second', async () => {
  const { key, id } = await made({ name: 'short' });
  expect((await api.ask('/v1/me', { key })).status).toBe(200);
  expect((await api.ask(`/v1/keys/${id}`, { method: 'DELETE' })).status).toBe(204);
  expect((await api.ask(`/v1/keys/${id}`, { method: 'DELETE' })).status).toBe(204);
  const refused = async (): Promise<boolean> => (await api.ask('/v1/me', { key })).status === 401;
  await waitFor(refused, { what: 'the key to be refused', timeoutMs: 1_500 });
});

test('If-Match on a key, which has no ETag, is not met', async () => {
  const { id } = await made({ name: 'kept' });
  const problem = await api.problem(`/v1/keys/${id}`, { method: 'DELETE', headers: { 'if-match': '"1"' } });
  expect(problem.status).toBe(412);
});

test('an expired key is refused', async () => {
  const { key } = await made({ name: 'brief', expiresAt: new Date(Date.now() + 400).toISOString() });
  expect((await api.ask('/v1/me', { key })).status).toBe(200);
  const refused = async (): Promise<boolean> => (await api.ask('/v1/me', { key })).status === 401;
  await waitFor(refused, { what: 'the key to expire', timeoutMs: 1_500 });
});

test.each([
  ['none', {}, ''],
  ['another scheme', { authorization: 'Basic YTpi' }, ''],
  ['no key', { authorization: 'Bearer' }, ''],
  ['a short one', { authorization: 'Bearer pk_1' }, 'invalid_token'],
  ['a long one', { authorization: `Bearer pk_${'x'.repeat(1_000)}` }, 'invalid_token'],
  ['an unknown one', { authorization: `Bearer pk_${'x'.repeat(43)}` }, 'invalid_token'],
  ['a token, where none is accepted', { authorization: 'Bearer e30.e30.e30' }, 'invalid_token'],
  ['two', { authorization: `Bearer pk_${'x'.repeat(43)}, Bearer pk_${'y'.repeat(43)}` }, ''],
])('%s for a key is 401 and says what is needed', async (_what, headers, error) => {
  const problem = await api.problem('/v1/me', { key: null, headers });
  expect(problem).toMatchObject({ status: 401, code: 'unauthenticated' });
  const said = error === '' ? '' : `, error="${error}"`;
  expect(problem.headers.get('www-authenticate')).toBe(`Bearer realm="perdure"${said}`);
});

test('a key in the URL is no key', async () => {
  expect((await api.problem(`/v1/me?access_token=${api.adminKey}`, { key: null })).status).toBe(401);
});

test('without a key nobody learns what is wrong with a body', async () => {
  const problem = await api.problem('/v1/jobs', {
    key: null,
    raw: '{',
    headers: { 'content-type': 'application/json' },
  });
  expect(problem.status).toBe(401);
});

test.each(['/livez', '/openapi.json', '/docs', '/docs/start.js', '/docs/assets/swagger-ui-bundle.js'])(
  '%s needs no key',
  async (path) => {
    expect((await api.ask(path, { key: null })).status).toBe(200);
  },
);

const operations: [string, string, Permission][] = [
  ['POST', '/v1/jobs', 'jobs.submit'],
  ['GET', '/v1/jobs', 'jobs.read'],
  ['GET', `/v1/jobs/${nobody}`, 'jobs.read'],
  ['GET', `/v1/jobs/${nobody}/history`, 'jobs.read'],
  ['GET', `/v1/jobs/${nobody}/logs`, 'jobs.read'],
  ['GET', `/v1/jobs/${nobody}/events`, 'jobs.read'],
  ['GET', '/v1/events', 'jobs.all'],
  ['GET', `/v1/jobs/${nobody}/result`, 'jobs.read'],
  ['POST', '/v1/jobs:batch', 'jobs.submit'],
  ['POST', `/v1/jobs/${nobody}:rerun`, 'jobs.submit'],
  ['GET', '/v1/jobs:counts', 'jobs.all'],
  ['POST', `/v1/jobs/${nobody}:archive`, 'jobs.archive'],
  ['POST', `/v1/jobs/${nobody}:restore`, 'jobs.archive'],
  ['POST', `/v1/jobs/${nobody}:cancel`, 'jobs.cancel'],
  ['POST', `/v1/jobs/${nobody}:reassign`, 'jobs.reassign'],
  ['GET', `/v1/jobs/${nobody}/access`, 'access.read'],
  ['PUT', `/v1/jobs/${nobody}/access`, 'access.change'],
  ['DELETE', `/v1/jobs/${nobody}/access/${nobody}`, 'access.change'],
  ['GET', `/v1/files/${nobody}/access`, 'access.read'],
  ['PUT', `/v1/files/${nobody}/access`, 'access.change'],
  ['DELETE', `/v1/files/${nobody}/access/${nobody}`, 'access.change'],
  ['POST', '/v1/files', 'files.write'],
  ['GET', `/v1/files/${nobody}`, 'files.read'],
  ['GET', `/v1/files/${nobody}/content`, 'files.read'],
  ['PUT', `/v1/files/${nobody}/content`, 'files.write'],
  ['POST', `/v1/files/${nobody}:sign`, 'files.read'],
  ['POST', '/v1/files:signUpload', 'files.write'],
  ['OPTIONS', '/v1/uploads', 'files.write'],
  ['POST', '/v1/uploads', 'files.write'],
  ['HEAD', `/v1/uploads/${nobody}`, 'files.write'],
  ['PATCH', `/v1/uploads/${nobody}`, 'files.write'],
  ['DELETE', `/v1/uploads/${nobody}`, 'files.write'],
  ['GET', '/v1/functions', 'functions.read'],
  ['GET', '/v1/functions/echo/1.0.0', 'functions.read'],
  ['PUT', '/v1/functions/echo/1.0.0', 'functions.write'],
  ['GET', '/v1/agents', 'agents.read'],
  ['GET', '/v1/agents/agent-1', 'agents.read'],
  ['POST', '/v1/agents', 'agents.register'],
  ['POST', '/v1/agents/agent-1:drain', 'agents.manage'],
  ['POST', '/v1/agents/agent-1:resume', 'agents.manage'],
  ['PUT', '/v1/agents/agent-1/beat', 'jobs.work'],
  ['POST', '/v1/agents/agent-1/claim', 'jobs.work'],
  ['POST', `/v1/jobs/${nobody}/reports`, 'jobs.work'],
  ['POST', `/v1/jobs/${nobody}/files`, 'jobs.work'],
  ['POST', `/v1/jobs/${nobody}:complete`, 'jobs.work'],
  ['POST', `/v1/jobs/${nobody}:fail`, 'jobs.work'],
  ['POST', `/v1/jobs/${nobody}:giveBack`, 'jobs.work'],
  ['GET', '/v1/pools', 'pools.read'],
  ['GET', '/v1/pools/gpu', 'pools.read'],
  ['POST', '/v1/pools', 'pools.manage'],
  ['DELETE', '/v1/pools/nothing', 'pools.manage'],
  ['PUT', '/v1/pools/nothing/agents/agent-1', 'pools.manage'],
  ['DELETE', '/v1/pools/nothing/agents/agent-1', 'pools.manage'],
  ['POST', '/v1/keys', 'keys.use'],
  ['GET', '/v1/keys', 'keys.use'],
  ['DELETE', `/v1/keys/${nobody}`, 'keys.use'],
  ['POST', '/v1/users', 'users.manage'],
  ['GET', '/v1/users', 'users.read'],
  ['GET', `/v1/users/${nobody}`, 'users.read'],
  ['PATCH', `/v1/users/${nobody}`, 'users.manage'],
  ['POST', '/v1/tenants', 'tenants.manage'],
  ['GET', '/v1/tenants', 'tenants.read'],
  ['GET', `/v1/tenants/${nobody}`, 'tenants.read'],
  ['GET', '/v1/audit', 'audit.read'],
  ['GET', '/v1/me', 'me.read'],
  ['GET', '/metrics', 'metrics.read'],
];

test.each(roles)('a key with the role %s may do what the table says, and nothing else', async (role) => {
  const key = await api.keyFor(role);
  for (const [method, path, permission] of operations) {
    // A stream would not end: it is asked for with an id that it refuses.
    const { status } = await api.ask(path, { method, key, headers: { 'last-event-id': 'none' } });
    expect([method, path, status === 403]).toEqual([
      method,
      path,
      !mayDo({ role, tenantId: defaultTenantId }, permission),
    ]);
  }
});

test('every operation of the document is in this table', async () => {
  const { body } = await api.ask<{ paths: Record<string, Record<string, { security?: unknown }>> }>(
    '/openapi.json',
  );
  const closed = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { security }]) =>
      security ? [`${method.toUpperCase()} ${path}`] : [],
    ),
  );
  const tested = operations.map(([method, path]) => `${method} ${path}`);
  const pattern = (operation: string) =>
    new RegExp(`^${operation.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/:]+')}$`);
  expect(closed.filter((operation) => !tested.some((one) => pattern(operation).test(one)))).toEqual([]);
  expect(tested).toHaveLength(closed.length);
});

test('jobs and keys of another tenant are as unknown as none at all', async () => {
  const { body: job } = await api.ask('/v1/jobs', { json: { function: 'echo' } });
  const { id: keyId } = await made({ name: 'mine' });
  const paths: [string, string][] = [
    ['GET', ''],
    ['GET', '/history'],
    ['GET', '/logs'],
    ['GET', '/logs?follow=true'],
    ['GET', '/events'],
    ['GET', '/result'],
    ['POST', ':rerun'],
    ['POST', ':cancel'],
  ];
  for (const [method, path] of paths) {
    const asked = { method, key: foreign };
    const [one, other] = await Promise.all([
      api.problem(`/v1/jobs/${String(job['id'])}${path}`, asked),
      api.problem(`/v1/jobs/${nobody}${path}`, asked),
    ]);
    expect(one).toMatchObject({ status: 404, code: other.code, detail: other.detail });
  }
  expect((await api.problem(`/v1/keys/${keyId}`, { method: 'DELETE', key: foreign })).status).toBe(404);
  expect((await api.ask('/v1/jobs', { key: foreign })).body['items']).toEqual([]);
  expect((await api.ask('/v1/me', { key: foreign })).status).toBe(200);
});

test('the idempotency key of another tenant makes a job of its own', async () => {
  const headers = { 'idempotency-key': 'the-same' };
  const json = { function: 'echo' };
  const one = await api.ask('/v1/jobs', { json, headers });
  const other = await api.ask('/v1/jobs', { json, headers, key: foreign });
  expect([one.status, other.status]).toEqual([201, 201]);
});
