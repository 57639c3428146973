import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultTenantId, firstAdminId } from '@perdure/job/ids';
import type { Database } from './database.ts';
import {
  createKey,
  ensureAdminKey,
  findKeyByHash,
  getKey,
  listKeys,
  type NewKey,
  revokeKey,
  touchKey,
} from './keys.ts';
import type { UserRecord } from './records.ts';
import { openFresh, otherTenantId } from './test-support.ts';
import { changeUser, createUser, getUser } from './users.ts';

let db: Database;
let drop: () => Promise<void>;
let ada: UserRecord;

beforeAll(async () => {
  ({ db, drop } = await openFresh());
  ada = await aUser('operator');
});
afterAll(() => drop());

const aHash = () => createHash('sha256').update(randomBytes(32)).digest();
const aSecret = () => ({ prefix: 'pk_abc', lastFour: 'wxyz', hash: aHash() });

async function aUser(role: UserRecord['role']): Promise<UserRecord> {
  const account = {
    tenantId: defaultTenantId,
    kind: 'service',
    email: null,
    displayName: 'ci',
    role,
  } as const;
  const user = await createUser(db, account);
  if (user === undefined) throw new Error('no user was made');
  return user;
}

function aKey(overrides: { userId?: string; expiresAt?: string } = {}): NewKey {
  const common = { tenantId: defaultTenantId, name: 'ci', role: 'member', userId: ada.id } as const;
  return { ...common, ...aSecret(), ...overrides };
}

const all = { limit: 100 };

test('a key is found by its hash with the role of its user, and never shows the hash', async () => {
  const { hash, ...rest } = aKey({ expiresAt: '2999-01-01T00:00:00.000Z' });
  const made = await createKey(db, { hash, ...rest });
  expect(made).toMatchObject({ ...rest, agentId: null, revokedAt: null, lastUsedAt: null });
  expect(await findKeyByHash(db, hash)).toEqual({ key: made, userRole: 'operator' });
  expect(Object.keys(made)).not.toContain('hash');
  expect(await findKeyByHash(db, aHash())).toBeUndefined();
});

test('a key of an agent has no user', async () => {
  const secret = aSecret();
  const agent = { tenantId: defaultTenantId, name: 'a', role: 'agent', agentId: 'agent-1' } as const;
  const key = await createKey(db, { ...agent, ...secret });
  expect(await findKeyByHash(db, secret.hash)).toEqual({ key, userRole: null });
});

test.each([
  ['nobody', {}],
  ['a user and an agent', { userId: firstAdminId, agentId: 'agent-1' }],
  ['a user of another tenant', { userId: firstAdminId, tenantId: otherTenantId }],
])('a key that speaks for %s cannot be kept', async (_whom, of) => {
  await db.kysely
    .insertInto('tenants')
    .values({ tenantId: otherTenantId, name: 'other' })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const key = { tenantId: defaultTenantId, name: 'x', role: 'member', ...aSecret(), ...of } as NewKey;
  await expect(createKey(db, key)).rejects.toThrow(/violates/);
});

test('an expired or revoked key is not found, but listed', async () => {
  const expired = aKey({ expiresAt: '2000-01-01T00:00:00.000Z' });
  const revoked = aKey();
  await createKey(db, expired);
  const { id } = await createKey(db, revoked);
  expect(await revokeKey(db, otherTenantId, id)).toBeUndefined();
  expect(await getKey(db, otherTenantId, id)).toBeUndefined();
  expect(await findKeyByHash(db, revoked.hash)).toBeDefined();
  const first = await revokeKey(db, defaultTenantId, id);
  expect(await revokeKey(db, defaultTenantId, id)).toEqual(first);
  expect(await findKeyByHash(db, revoked.hash)).toBeUndefined();
  expect(await findKeyByHash(db, expired.hash)).toBeUndefined();
  expect((await listKeys(db, defaultTenantId, all)).items[0]).toEqual(first);
  expect(await listKeys(db, otherTenantId, all)).toEqual({ items: [], next: null });
});

test('the keys of a disabled user are not found until it is enabled', async () => {
  const bob = await aUser('member');
  const key = aKey({ userId: bob.id });
  await createKey(db, key);
  const disabled = await changeUser(db, bob, { disabled: true });
  expect(await findKeyByHash(db, key.hash)).toBeUndefined();
  await changeUser(db, disabled ?? bob, { disabled: false });
  expect(await findKeyByHash(db, key.hash)).toMatchObject({ userRole: 'member' });
});

test('pages of a list are the list, newest first, of one user or of all', async () => {
  const bob = await aUser('member');
  const made = [];
  for (let count = 0; count < 5; count++) made.push((await createKey(db, aKey({ userId: bob.id }))).id);
  const read: string[] = [];
  for (let after; ;) {
    const { items, next } = await listKeys(db, defaultTenantId, { userId: bob.id, after, limit: 2 });
    read.push(...items.map(({ id }) => id));
    if (next === null) break;
    after = next;
  }
  expect(read).toEqual(made.reverse());
  const everything = await listKeys(db, defaultTenantId, all);
  expect(everything.items.map(({ id }) => id).slice(0, 5)).toEqual(made);
});

test('the use of a key is noted, at most once a minute', async () => {
  const key = aKey();
  const { id } = await createKey(db, key);
  await touchKey(db, id);
  const first = await getKey(db, defaultTenantId, id);
  expect(first?.lastUsedAt).toMatch(/Z$/);
  await touchKey(db, id);
  expect(await getKey(db, defaultTenantId, id)).toEqual(first);
});

describe('the admin key', () => {
  const adminKeys = async () =>
    (await listKeys(db, defaultTenantId, { ...all, userId: firstAdminId })).items.map(({ id }) => id);

  test('is one, speaks for the first admin, and another takes its place', async () => {
    const [first, second] = [aSecret(), aSecret()];
    await Promise.all([1, 2, 3].map(() => ensureAdminKey(db, first)));
    expect(await findKeyByHash(db, first.hash)).toMatchObject({
      key: { role: 'admin', tenantId: defaultTenantId, userId: firstAdminId },
      userRole: 'admin',
    });
    await ensureAdminKey(db, second);
    expect(await findKeyByHash(db, first.hash)).toBeUndefined();
    expect(await findKeyByHash(db, second.hash)).toBeDefined();
    expect(await adminKeys()).toHaveLength(1);
  });

  test('stays revoked when it is; another one opens the installation again', async () => {
    const secret = aSecret();
    await ensureAdminKey(db, secret);
    const [id = ''] = await adminKeys();
    await revokeKey(db, defaultTenantId, id);
    await aUser('admin');
    const admin = await getUser(db, defaultTenantId, firstAdminId);
    if (admin === undefined) throw new Error('there is no first admin');
    await changeUser(db, admin, { disabled: true, role: 'member' });
    await ensureAdminKey(db, secret);
    expect(await findKeyByHash(db, secret.hash)).toBeUndefined();
    const another = aSecret();
    await ensureAdminKey(db, another);
    expect(await findKeyByHash(db, another.hash)).toMatchObject({ userRole: 'admin' });
  });
});
