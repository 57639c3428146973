import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultTenantId, firstAdminId } from '@perdure/job/ids';
import type { Database } from './database.ts';
import type { UserRecord } from './records.ts';
import { type SignIn, signIn } from './sign-ins.ts';
import { createTenant, getTenant, listTenants } from './tenants.ts';
import { openFresh } from './test-support.ts';
import { changeUser, createUser, getUser, listUsers, type NewUser } from './users.ts';

let db: Database;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

let made = 0;
const aPerson = (overrides: Partial<NewUser> = {}): NewUser => ({
  tenantId: defaultTenantId,
  kind: 'person',
  email: `person-${++made}@example.com`,
  displayName: 'A person',
  role: 'member',
  ...overrides,
});

async function there<T>(found: Promise<T | undefined>): Promise<T> {
  const value = await found;
  if (value === undefined) throw new Error('nothing was found');
  return value;
}

const secret = () => ({ hash: Buffer.alloc(32, ++made), prefix: 'pk_abc', lastFour: 'wxyz' });
const aTenant = (name: string) =>
  createTenant(db, { name, admin: { email: 'ada@example.com', displayName: 'Ada' }, secret: secret() });

test('an e-mail address has one user in a tenant, and is free in another', async () => {
  const ada = await there(createUser(db, aPerson({ email: 'one@example.com' })));
  expect(await getUser(db, defaultTenantId, ada.id)).toEqual(ada);
  expect(await createUser(db, aPerson({ email: 'one@example.com' }))).toBeUndefined();
  const { tenant } = await there(aTenant('elsewhere'));
  const { tenantId } = tenant;
  expect(await createUser(db, aPerson({ tenantId, email: 'one@example.com' }))).toBeDefined();
  expect(await getUser(db, tenantId, ada.id)).toBeUndefined();
});

test('a user who has changed since is not changed', async () => {
  const ada = await there(createUser(db, aPerson()));
  const renamed = await there(changeUser(db, ada, { displayName: 'Ada L.' }));
  expect(renamed).toMatchObject({ displayName: 'Ada L.', role: 'member', revision: ada.revision + 1 });
  expect(await changeUser(db, ada, { role: 'admin' })).toBeUndefined();
  expect(await getUser(db, defaultTenantId, ada.id)).toEqual(renamed);
});

test('a list has the users of its tenant alone, newest first, page by page', async () => {
  const { tenant, admin } = await there(aTenant('listed'));
  const { tenantId } = tenant;
  const ids = [admin.id];
  for (let count = 0; count < 4; count++) ids.push((await there(createUser(db, aPerson({ tenantId })))).id);
  const first = await listUsers(db, tenantId, { limit: 3 });
  const rest = await listUsers(db, tenantId, { limit: 3, after: first.next ?? undefined });
  expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(ids.reverse());
  expect(rest.next).toBeNull();
});

describe('the last admin', () => {
  test('stays, whatever is asked, until there is another', async () => {
    const { tenant, admin } = await there(aTenant('guarded'));
    for (const change of [{ role: 'operator' }, { disabled: true }] as const)
      await expect(changeUser(db, admin, change)).rejects.toMatchObject({ code: 'last-admin' });
    const { tenantId } = tenant;
    const other = await there(createUser(db, aPerson({ tenantId, role: 'admin' })));
    const gone = await there(changeUser(db, other, { disabled: true }));
    await expect(changeUser(db, admin, { disabled: true })).rejects.toMatchObject({ code: 'last-admin' });
    await changeUser(db, gone, { disabled: false });
    expect(await changeUser(db, admin, { disabled: true })).toMatchObject({ role: 'admin' });
  });

  test('is left when all of them are demoted at once', async () => {
    const { tenant, admin } = await there(aTenant('crowded'));
    const { tenantId } = tenant;
    const admins = [admin];
    for (let count = 0; count < 5; count++)
      admins.push(await there(createUser(db, aPerson({ tenantId, role: 'admin' }))));
    const ends = await Promise.allSettled(admins.map((one) => changeUser(db, one, { role: 'member' })));
    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    const { items } = await listUsers(db, tenantId, { limit: 100 });
    expect(items.filter(({ role }) => role === 'admin')).toHaveLength(1);
  });
});

describe('tenants', () => {
  test('come with an admin and its key, or not at all', async () => {
    const { tenant, admin, key } = await there(aTenant('north'));
    expect(admin).toMatchObject({ tenantId: tenant.tenantId, role: 'admin', email: 'ada@example.com' });
    expect(key).toMatchObject({ tenantId: tenant.tenantId, userId: admin.id, role: 'admin' });
    expect(await aTenant('north')).toBeUndefined();
    expect(await getTenant(db, tenant.tenantId)).toEqual(tenant);
  });

  test('are listed page by page', async () => {
    const whole = await listTenants(db, { limit: 100 });
    const first = await listTenants(db, { limit: 1 });
    const rest = await listTenants(db, { limit: 100, after: first.next ?? undefined });
    expect([...first.items, ...rest.items]).toEqual(whole.items);
    expect(whole.items.at(-1)).toMatchObject({ tenantId: defaultTenantId, name: 'default' });
  });
});

describe('a token', () => {
  const says = (overrides: Partial<SignIn> = {}): SignIn => ({
    tenant: 'default',
    issuer: 'https://id.example.com',
    subject: `subject-${++made}`,
    email: null,
    displayName: 'Grace',
    role: null,
    issuedAt: '2026-11-22T05:00:00.000Z',
    ...overrides,
  });
  const later = '2026-11-22T06:00:00.000Z';

  test('makes a user at first sight, one however often it comes at once', async () => {
    const said = says({ email: 'grace@example.com', role: 'operator' });
    const users = await Promise.all(Array.from({ length: 8 }, () => signIn(db, said)));
    expect(new Set(users.map((user) => user?.id)).size).toBe(1);
    expect(users[0]).toMatchObject({
      kind: 'person',
      email: 'grace@example.com',
      displayName: 'Grace',
      role: 'operator',
      tenantId: defaultTenantId,
    });
    expect(await signIn(db, says())).toMatchObject({ role: 'member' });
    expect(await signIn(db, says({ tenant: 'nowhere' }))).toBeUndefined();
  });

  test('that is newer says anew who it is; an older one has nothing to say', async () => {
    const said = says({ email: 'old@example.com', role: 'admin' });
    const first = await there(signIn(db, said));
    expect(await signIn(db, said)).toEqual(first);
    const news = {
      email: 'new@example.com',
      displayName: 'Grace H.',
      role: 'member',
      issuedAt: later,
    } as const;
    const second = await there(signIn(db, { ...said, ...news }));
    const { issuedAt: _later, ...now } = news;
    expect(second).toMatchObject({ ...now, id: first.id, revision: first.revision + 1 });
    expect(await signIn(db, said)).toEqual(second);
    // What a token leaves out stays.
    const silent = { email: null, displayName: null, role: null, issuedAt: '2026-11-22T07:00:00.000Z' };
    expect(await signIn(db, { ...said, ...silent })).toEqual(second);
  });

  test('finds the person who was invited by the e-mail address', async () => {
    const invited = await there(createUser(db, aPerson({ role: 'operator', displayName: 'Invited' })));
    const said = says({ email: invited.email });
    expect(await signIn(db, said)).toMatchObject({
      id: invited.id,
      role: 'operator',
      displayName: 'Invited',
    });
    // Somebody else whom the provider gives the same address gets another user, without it.
    const other = await there(signIn(db, says({ email: invited.email })));
    expect(other).toMatchObject({ email: null });
    expect(other.id).not.toBe(invited.id);
    const moved = await there(signIn(db, says({ email: 'moves@example.com' })));
    const taken = { ...says({ email: invited.email, issuedAt: later }), subject: moved.subject ?? '' };
    expect(await signIn(db, { ...taken, displayName: 'Moved' })).toMatchObject({
      email: 'moves@example.com',
      displayName: 'Moved',
    });
  });

  test('of the same subject in another tenant, or of another issuer, is another user', async () => {
    await aTenant('south');
    const said = says();
    const users = await Promise.all(
      [said, { ...said, tenant: 'south' }, { ...said, issuer: 'https://other.example.com' }].map((one) =>
        there(signIn(db, one)),
      ),
    );
    expect(new Set(users.map(({ id }) => id)).size).toBe(3);
  });

  test('does not enable a user who is disabled', async () => {
    const said = says();
    const user: UserRecord = await there(signIn(db, said));
    await changeUser(db, user, { disabled: true });
    const again = await there(signIn(db, { ...said, displayName: 'Back', issuedAt: later }));
    expect(again.disabledAt).not.toBeNull();
  });
});

test('the first admin is there from the start', async () => {
  expect(await getUser(db, defaultTenantId, firstAdminId)).toMatchObject({ kind: 'service', role: 'admin' });
});
