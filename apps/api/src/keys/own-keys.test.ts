import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { firstAdminId } from '@perdure/job/ids';
import { Key, KeyPage, Me, NewKey } from '@perdure/job/schemas';
import { waitFor } from '../../../../tests/support/wait.ts';
import { startApi, type TestApi } from '../testing/api.ts';
import { announceAll } from '../testing/catalogue.ts';

let api: TestApi;
beforeAll(async () => (api = await startApi()));
afterAll(() => api.stop());

async function made(request: object, key = api.adminKey): Promise<NewKey> {
  const answer = await api.ask('/v1/keys', { json: request, key });
  expect([answer.status, answer.text.slice(0, 200)]).toEqual([201, expect.anything()]);
  return NewKey.parse(answer.body);
}

const refused = (json: object, key = api.adminKey) => api.problem('/v1/keys', { json, key });
const keysOf = async (key: string, query = '') =>
  KeyPage.parse((await api.ask(`/v1/keys${query}`, { key })).body).items;
const me = async (key: string) => Me.parse((await api.ask('/v1/me', { key })).body);
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

describe('a key', () => {
  test('of another user has the role of that user, or the lesser one that is asked for', async () => {
    const { id: userId } = await api.userWith('operator');
    const key = await made({ userId, name: 'a' });
    expect(key).toMatchObject({ userId, role: 'operator', agentId: null });
    expect(await me(key.key)).toMatchObject({ role: 'operator', user: { id: userId }, keyId: key.id });
    expect(await made({ userId, name: 'b', role: 'member' })).toMatchObject({ role: 'member' });
    expect(await refused({ userId, name: 'c', role: 'admin' })).toMatchObject({
      status: 422,
      errors: [{ pointer: '/role' }],
    });
  });

  test('speaks for one user that there is, or for one agent', async () => {
    const cases: [object, string][] = [
      [{ userId: '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70', name: 'x' }, '/userId'],
      [{ userId: firstAdminId, agentId: 'agent-1', name: 'x' }, '/agentId'],
      [{ role: 'agent', name: 'x' }, '/agentId'],
      [{ role: 'member', agentId: 'agent-1', name: 'x' }, '/role'],
      [{ name: 'x', expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
    ];
    for (const [request, pointer] of cases)
      expect(await refused(request)).toMatchObject({ status: 422, errors: [{ pointer }] });
  });

  test('and its successor work side by side, until the first is revoked', async () => {
    const first = await api.keyFor('member');
    const second = await made({ name: 'next' }, first);
    const [, { id } = { id: '' }] = await keysOf(second.key);
    expect((await api.ask('/v1/me', { key: first })).status).toBe(200);
    expect((await api.ask(`/v1/keys/${id}`, { method: 'DELETE', key: second.key })).status).toBe(204);
    const over = async (): Promise<boolean> => (await api.ask('/v1/me', { key: first })).status === 401;
    await waitFor(over, { what: 'the first key to end', timeoutMs: 1_500 });
    expect((await api.ask('/v1/me', { key: second.key })).status).toBe(200);
  });

  test('goes on with what another one of its user has begun', async () => {
    await announceAll(api.db);
    const first = await api.keyFor('member');
    const { key: second } = await made({ name: 'next' }, first);
    const submit = (key: string) =>
      api.ask('/v1/jobs', { json: { function: 'echo' }, key, headers: { 'idempotency-key': 'k' } });
    const [one, repeat, strange] = [await submit(first), await submit(second), await submit(api.adminKey)];
    expect([one.status, repeat.status, strange.status]).toEqual([201, 200, 201]);
    expect(repeat.body['id']).toBe(one.body['id']);
    expect(one.body['owner']).toBe((await me(first)).user?.id);
    const tus = { 'tus-resumable': '1.0.0', 'upload-length': '8' };
    const begun = await api.ask('/v1/uploads', { method: 'POST', key: first, headers: tus });
    const found = async (key: string) => {
      const path = begun.headers.get('location')?.replace(/^https?:\/\/[^/]+/, '') ?? '';
      return (await api.ask(path, { method: 'HEAD', key, headers: tus })).status;
    };
    expect([await found(second), await found(api.adminKey)]).toEqual([200, 404]);
  });

  test('says when it was last used', async () => {
    const { key, id, lastUsedAt } = await made({ name: 'watched' });
    expect(lastUsedAt).toBeNull();
    await me(key);
    const used = async () => (await keysOf(api.adminKey)).find((one) => one.id === id)?.lastUsedAt !== null;
    await waitFor(used, { what: 'the use to be noted' });
  });
});

describe('a user who is no admin', () => {
  test('sees and ends its own keys alone', async () => {
    const [own, other] = [await api.keyFor('operator'), await api.keyFor('operator')];
    const mine = await keysOf(own);
    expect(mine).toHaveLength(1);
    const [theirs = Key.parse({})] = await keysOf(other);
    expect(mine[0]?.id).not.toBe(theirs.id);
    const deleting = { method: 'DELETE', key: own };
    expect(await api.problem(`/v1/keys/${theirs.id}`, deleting)).toMatchObject({ status: 404 });
    expect(await api.problem(`/v1/keys?userId=${theirs.userId}`, { key: own })).toMatchObject({
      status: 403,
    });
    expect(await keysOf(api.adminKey, `?userId=${theirs.userId}`)).toMatchObject([{ id: theirs.id }]);
  });

  test('makes keys for nobody else', async () => {
    const key = await api.keyFor('operator');
    expect(await refused({ name: 'x', userId: firstAdminId }, key)).toMatchObject({ status: 403 });
    expect(await refused({ name: 'x', agentId: 'agent-1' }, key)).toMatchObject({ status: 403 });
  });
});

describe('a lesser key of an admin', () => {
  const lesser = async () => (await made({ name: 'lesser', role: 'member' })).key;

  test('is no admin, makes none, and ends none', async () => {
    const key = await lesser();
    expect(await me(key)).toMatchObject({ role: 'member', user: { id: firstAdminId, role: 'admin' } });
    for (const role of ['operator', 'admin'])
      expect(await refused({ name: 'x', role }, key)).toMatchObject({
        status: 422,
        errors: [{ pointer: '/role' }],
      });
    expect(await made({ name: 'x' }, key)).toMatchObject({ role: 'member', userId: firstAdminId });
    const admin = (await keysOf(key)).find(({ role }) => role === 'admin');
    expect(await api.problem(`/v1/keys/${admin?.id}`, { method: 'DELETE', key })).toMatchObject({
      status: 403,
    });
    expect(await me(api.adminKey)).toMatchObject({ role: 'admin' });
  });
});

describe('a key that ends', () => {
  test('gives its user none that outlives it, and gives others what they need', async () => {
    const expiresAt = inAnHour();
    const { key } = await made({ name: 'for an hour', role: 'admin', expiresAt });
    expect(await made({ name: 'next' }, key)).toMatchObject({ expiresAt });
    expect(await refused({ name: 'x', expiresAt: '2100-01-01T00:00:00Z' }, key)).toMatchObject({
      status: 422,
      errors: [{ pointer: '/expiresAt' }],
    });
    const { id: userId } = await api.userWith('member');
    expect(await made({ name: 'x', userId }, key)).toMatchObject({ expiresAt: null });
    expect(await made({ name: 'x', agentId: 'agent-1' }, key)).toMatchObject({ expiresAt: null });
  });
});
