import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultTenantId, firstAdminId } from '@perdure/job/ids';
import { Me, NewKey, NewTenant, TenantPage, User, UserPage } from '@perdure/job/schemas';
import { waitFor } from '../../../../tests/support/wait.ts';
import { startApi, type TestApi } from '../testing/api.ts';

let api: TestApi;
beforeAll(async () => (api = await startApi()));
afterAll(() => api.stop());

let count = 0;
const email = () => `person-${++count}@example.com`;

async function made(request: object = {}, key = api.adminKey): Promise<User> {
  const json = { email: email(), displayName: 'Ada', ...request };
  const answer = await api.ask('/v1/users', { json, key });
  expect([answer.status, answer.text.slice(0, 200)]).toEqual([201, expect.anything()]);
  const user = User.parse(answer.body);
  expect(answer.headers.get('location')).toBe(`/v1/users/${user.id}`);
  expect(answer.headers.get('etag')).toBe(`"${user.revision}"`);
  return user;
}

async function tenantMade(name: string): Promise<NewTenant> {
  const json = { name, admin: { email: 'Ada@Example.com', displayName: 'Ada' } };
  const answer = await api.ask('/v1/tenants', { json });
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store']);
  return NewTenant.parse(answer.body);
}

async function keyOf(user: User, request: object = {}): Promise<string> {
  const answer = await api.ask('/v1/keys', { json: { userId: user.id, name: 'a key', ...request } });
  return NewKey.parse(answer.body).key;
}

const patched = (user: { id: string }, json: object, headers: Record<string, string> = {}) =>
  api.ask(`/v1/users/${user.id}`, { method: 'PATCH', json, headers });
const roleNow = async (key: string) => Me.parse((await api.ask('/v1/me', { key })).body).role;

describe('users', () => {
  test('are people and service accounts; with a key each of them can do something', async () => {
    const person = await made({ email: 'Grace@Example.com', displayName: 'Grace' });
    expect(person).toMatchObject({
      kind: 'person',
      email: 'grace@example.com',
      role: 'member',
      issuer: null,
    });
    const account = await made({ kind: 'service', email: undefined, displayName: 'ci', role: 'operator' });
    expect(account).toMatchObject({ kind: 'service', email: null, role: 'operator' });
    for (const user of [person, account]) {
      const me = Me.parse((await api.ask('/v1/me', { key: await keyOf(user) })).body);
      expect(me).toMatchObject({ user, tenantId: defaultTenantId, role: user.role });
    }
    expect((await api.ask(`/v1/users/${person.id}`)).body).toEqual(person);
  });

  test.each([
    [{ displayName: 'x' }, '/email'],
    [{ kind: 'service', email: 'a@example.com', displayName: 'x' }, '/email'],
    [{ email: 'nobody', displayName: 'x' }, '/email'],
    [{ email: 'a@example.com', displayName: '' }, '/displayName'],
    [{ email: 'a@example.com', displayName: 'x', role: 'agent' }, '/role'],
    [{ email: 'a@example.com', displayName: 'x', tenantId: defaultTenantId }, '/tenantId'],
  ])('%j is refused at %s', async (json, pointer) => {
    expect(await api.problem('/v1/users', { json })).toMatchObject({ status: 422, errors: [{ pointer }] });
  });

  test('have an e-mail address that mail servers take', async () => {
    const before = (characters: number) => ({ email: `${'x'.repeat(characters)}@example.com` });
    await made(before(64));
    const json = { displayName: 'Ada', ...before(65) };
    expect((await api.problem('/v1/users', { json })).errors).toMatchObject([{ pointer: '/email' }]);
  });

  test('share no e-mail address, however it is written', async () => {
    const { email: taken } = await made();
    const json = { email: taken?.toUpperCase(), displayName: 'x' };
    const problem = await api.problem('/v1/users', { json });
    expect(problem).toMatchObject({ status: 409, code: 'id-taken', errors: [{ pointer: '/email' }] });
  });

  test('are listed page by page, newest first', async () => {
    const users = [await made(), await made(), await made()].reverse();
    const first = UserPage.parse((await api.ask('/v1/users?pageSize=2')).body);
    expect(first.items).toEqual(users.slice(0, 2));
    const next = `/v1/users?pageSize=1&pageToken=${first.nextPageToken}`;
    expect(UserPage.parse((await api.ask(next)).body).items).toEqual(users.slice(2));
    const foreign = await tenantMade('lists');
    expect(await api.problem(next, { key: foreign.key.key })).toMatchObject({ status: 422 });
  });

  test('are changed if they are still as they were seen', async () => {
    const user = await made();
    const { status, body, headers } = await patched(user, { displayName: 'Ada L.' }, { 'if-match': '"1"' });
    expect([status, headers.get('etag')]).toEqual([200, '"2"']);
    expect(body).toEqual({ ...user, displayName: 'Ada L.', revision: 2 });
    expect((await patched(user, { role: 'admin' }, { 'if-match': '"1"' })).status).toBe(412);
    expect((await patched(user, { role: 'operator' })).body).toMatchObject({ role: 'operator', revision: 3 });
    expect((await patched({ id: '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70' }, {})).status).toBe(404);
  });

  test('who are demoted have lesser keys within a second, and get no others back unless promoted', async () => {
    const user = await made({ role: 'admin' });
    const [full, narrow] = [await keyOf(user), await keyOf(user, { role: 'member' })];
    expect(await roleNow(full)).toBe('admin');
    await patched(user, { role: 'operator' });
    const demoted = async () => (await roleNow(full)) === 'operator';
    await waitFor(demoted, { what: 'the key to follow', timeoutMs: 1_500 });
    expect(await roleNow(narrow)).toBe('member');
    await patched(user, { role: 'admin' });
    await waitFor(async () => (await roleNow(full)) === 'admin', { what: 'the key to follow' });
    expect(await roleNow(narrow)).toBe('member');
  });

  test('who are disabled have no key that works, within a second, until they are enabled', async () => {
    const user = await made();
    const key = await keyOf(user);
    const status = async () => (await api.ask('/v1/me', { key })).status;
    expect(await status()).toBe(200);
    expect((await patched(user, { disabled: true })).body['disabledAt']).toEqual(expect.any(String));
    await waitFor(async () => (await status()) === 401, { what: 'the key to end', timeoutMs: 1_500 });
    const another = { json: { userId: user.id, name: 'x' } };
    expect(await api.problem('/v1/keys', another)).toMatchObject({
      status: 422,
      errors: [{ pointer: '/userId' }],
    });
    await patched(user, { disabled: false });
    await waitFor(async () => (await status()) === 200, { what: 'the key to work again' });
  });

  test('leave an admin behind', async () => {
    const { admin, key } = await tenantMade('small');
    for (const json of [{ role: 'member' }, { disabled: true }]) {
      const asked = { method: 'PATCH', json, key: key.key };
      const problem = await api.problem(`/v1/users/${admin.id}`, asked);
      expect(problem).toMatchObject({ status: 409, code: 'last-admin' });
    }
  });
});

describe('tenants', () => {
  test('begin with an admin, whose key is shown once, and know nothing of each other', async () => {
    const { id, name, admin, key } = await tenantMade('north');
    expect(key).toMatchObject({ userId: admin.id, role: 'admin' });
    const me = Me.parse((await api.ask('/v1/me', { key: key.key })).body);
    expect(me).toMatchObject({ tenantId: id, tenantName: name, user: admin, role: 'admin' });
    expect(admin.email).toBe('ada@example.com');
    const asked = { key: key.key };
    expect(UserPage.parse((await api.ask('/v1/users', asked)).body).items).toEqual([admin]);
    expect(await api.problem(`/v1/users/${firstAdminId}`, asked)).toMatchObject({ status: 404 });
    const change = { ...asked, method: 'PATCH', json: { disabled: true } };
    expect(await api.problem(`/v1/users/${firstAdminId}`, change)).toMatchObject({ status: 404 });
    const forAnother = { ...asked, json: { userId: firstAdminId, name: 'x' } };
    expect(await api.problem('/v1/keys', forAnother)).toMatchObject({ status: 422 });
    expect(
      await api.problem('/v1/tenants', { json: { name, admin: { email: email(), displayName: 'x' } } }),
    ).toMatchObject({ status: 409, code: 'id-taken', errors: [{ pointer: '/name' }] });
  });

  test('are managed by admins of the first one; others see their own', async () => {
    const { id, key } = await tenantMade('south');
    const asked = { key: key.key };
    const json = { name: 'mine', admin: { email: email(), displayName: 'x' } };
    expect(await api.problem('/v1/tenants', { ...asked, json })).toMatchObject({ status: 403 });
    expect(await api.problem(`/v1/tenants/${defaultTenantId}`, asked)).toMatchObject({ status: 404 });
    expect((await api.ask(`/v1/tenants/${id}`, asked)).body).toMatchObject({ id, name: 'south' });
    const own = TenantPage.parse((await api.ask('/v1/tenants', asked)).body);
    expect(own).toMatchObject({ items: [{ id }], nextPageToken: null });
    const { permissions } = Me.parse((await api.ask('/v1/me', asked)).body);
    expect([permissions.includes('tenants.manage'), permissions.includes('users.manage')]).toEqual([
      false,
      true,
    ]);
    const first = TenantPage.parse((await api.ask('/v1/tenants?pageSize=1')).body);
    expect(first.items).toMatchObject([{ id }]);
    const rest = await api.ask(`/v1/tenants?pageToken=${first.nextPageToken}`);
    expect(TenantPage.parse(rest.body).items.map(({ name }) => name)).toContain('default');
    expect((await api.ask(`/v1/tenants/${id}`)).body).toMatchObject({ id });
  });
});
