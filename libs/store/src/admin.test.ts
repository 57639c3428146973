import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import {
  createKey,
  ensureAdminKey,
  findKeyByHash,
  listKeys,
  type NewKey,
  revokeKey,
  touchKey,
} from './admin.ts';
import type { Database } from './database.ts';
import { openFresh, otherTenantId } from './test-support.ts';

let db: Database;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

const aHash = () => createHash('sha256').update(randomBytes(32)).digest();

function aKey(overrides: Partial<NewKey> = {}): NewKey {
  return {
    tenantId: defaultTenantId,
    name: 'ci',
    role: 'member',
    prefix: 'pk_abc',
    lastFour: 'wxyz',
    hash: aHash(),
    ...overrides,
  };
}

test('a key is found by its hash, and never shows it', async () => {
  const { hash, ...rest } = aKey({
    agentId: 'agent-1',
    role: 'agent',
    expiresAt: '2999-01-01T00:00:00.000Z',
  });
  const made = await createKey(db, { hash, ...rest });
  expect(made).toMatchObject({ ...rest, revokedAt: null, lastUsedAt: null });
  expect(await findKeyByHash(db, hash)).toEqual(made);
  expect(Object.keys(made)).not.toContain('hash');
  expect(await findKeyByHash(db, aHash())).toBeUndefined();
});

test('an expired or revoked key is not found, but listed', async () => {
  const expired = aKey({ expiresAt: '2000-01-01T00:00:00.000Z' });
  const revoked = aKey();
  await createKey(db, expired);
  const { id } = await createKey(db, revoked);
  expect(await revokeKey(db, otherTenantId, id)).toBeUndefined();
  expect(await findKeyByHash(db, revoked.hash)).toBeDefined();
  const first = await revokeKey(db, defaultTenantId, id);
  expect(await revokeKey(db, defaultTenantId, id)).toEqual(first);
  expect(await findKeyByHash(db, revoked.hash)).toBeUndefined();
  expect(await findKeyByHash(db, expired.hash)).toBeUndefined();
  expect((await listKeys(db, defaultTenantId))[0]).toEqual(first);
  expect(await listKeys(db, otherTenantId)).toEqual([]);
});

test('the use of a key is noted, at most once a minute', async () => {
  const key = aKey();
  const { id } = await createKey(db, key);
  await touchKey(db, id);
  const first = await findKeyByHash(db, key.hash);
  expect(first?.lastUsedAt).toMatch(/Z$/);
  await touchKey(db, id);
  expect(await findKeyByHash(db, key.hash)).toEqual(first);
});

describe('the admin key', () => {
  test('is one, and another takes its place', async () => {
    const [first, second] = [aHash(), aHash()];
    await Promise.all([1, 2, 3].map(() => ensureAdminKey(db, first, 'pk_one', '1111')));
    expect(await findKeyByHash(db, first)).toMatchObject({
      role: 'admin',
      tenantId: defaultTenantId,
      lastFour: '1111',
    });
    await ensureAdminKey(db, second, 'pk_two', '2222');
    expect(await findKeyByHash(db, first)).toBeUndefined();
    expect(await findKeyByHash(db, second)).toMatchObject({ lastFour: '2222' });
    expect((await listKeys(db, defaultTenantId)).filter(({ role }) => role === 'admin')).toHaveLength(1);
  });

  test('stays revoked when it is', async () => {
    const hash = aHash();
    await ensureAdminKey(db, hash, 'pk_one', '1111');
    const key = await findKeyByHash(db, hash);
    await revokeKey(db, defaultTenantId, key?.id ?? '');
    await ensureAdminKey(db, hash, 'pk_one', '1111');
    expect(await findKeyByHash(db, hash)).toBeUndefined();
  });
});
