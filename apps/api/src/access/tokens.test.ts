import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Me } from '@perdure/job/schemas';
import type { JWTPayload } from 'jose';
import { waitFor } from '../../../../tests/support/wait.ts';
import { anotherTenant, startApi, type TestApi } from '../testing/api.ts';
import { type IdentityProvider, startIdentityProvider } from '../testing/identity-provider.ts';

const seconds = (from: number) => Math.floor(Date.now() / 1_000) + from;

/** An API that trusts a provider, with more of its variables. */
function trusting(environment: Record<string, string> = {}) {
  let opened: { api: TestApi; provider: IdentityProvider } | undefined;
  beforeAll(async () => {
    const provider = await startIdentityProvider();
    opened = { provider, api: await startApi({ ...provider.environment, ...environment }) };
  });
  afterAll(async () => {
    await opened?.api.stop();
    opened?.provider.stop();
  });
  const there = () => {
    if (opened === undefined) throw new Error('the API is not started yet');
    return opened;
  };
  return {
    api: () => there().api,
    provider: () => there().provider,
    async me(claims: JWTPayload): Promise<Me> {
      const answer = await there().api.ask('/v1/me', { key: await there().provider.token(claims) });
      return Me.parse(answer.body);
    },
    async refusal(claims: JWTPayload) {
      return there().api.problem('/v1/me', { key: await there().provider.token(claims) });
    },
  };
}

describe('without a claim for roles', () => {
  const { api, provider, me } = trusting();

  test('a token makes its user at first sight, whose role the admins of the tenant decide', async () => {
    const first = await me({ sub: 'ada', name: 'Ada', email: 'Ada@Example.com', email_verified: true });
    expect(first).toMatchObject({
      name: 'Ada',
      role: 'member',
      keyId: null,
      agentId: null,
      tenantName: 'default',
      user: { kind: 'person', email: 'ada@example.com', displayName: 'Ada', issuer: provider().issuer },
    });
    const path = `/v1/users/${first.user?.id}`;
    expect((await api().ask(path, { method: 'PATCH', json: { role: 'operator' } })).status).toBe(200);
    expect(await me({ sub: 'ada', iat: seconds(1) })).toMatchObject({
      role: 'operator',
      user: { id: first.user?.id },
    });
  });

  test('an e-mail address that is not verified counts for nothing', async () => {
    for (const email_verified of [false, 'true', undefined])
      expect(await me({ sub: 'eve', email: 'admin@example.com', email_verified })).toMatchObject({
        user: { email: null, displayName: 'eve' },
      });
  });

  test('the jobs of a user are its own, by whatever key or token', async () => {
    const { user } = await me({ sub: 'grace' });
    const { body } = await api().ask('/v1/keys', {
      json: { name: 'x' },
      key: await provider().token({ sub: 'grace' }),
    });
    expect(body).toMatchObject({ userId: user?.id, role: 'member', expiresAt: null });
  });

  test('a disabled user is refused within a second', async () => {
    const token = await provider().token({ sub: 'mallory' });
    const { body } = await api().ask<Me>('/v1/me', { key: token });
    await api().ask(`/v1/users/${body.user?.id}`, { method: 'PATCH', json: { disabled: true } });
    const refused = async () => (await api().ask('/v1/me', { key: token })).status === 401;
    await waitFor(refused, { what: 'the token to be refused', timeoutMs: 1_500 });
    expect(
      await api().problem('/v1/me', { key: await provider().token({ sub: 'mallory', iat: seconds(5) }) }),
    ).toMatchObject({ detail: 'The user is disabled' });
  });
});

describe('with claims for tenant and role', () => {
  const { api, provider, me, refusal } = trusting({
    OIDC_TENANT_CLAIM: 'org',
    OIDC_ROLE_CLAIM: '/realm_access/roles',
    OIDC_ROLES: 'perdure-admins=admin,staff=member,a=b=operator',
  });
  const roles = (...some: string[]) => ({ realm_access: { roles: some } });

  test('they say where the user is, and what it may do', async () => {
    const tenantId = await anotherTenant(api().db);
    expect(
      await me({ sub: 'a', org: 'another', ...roles('other', 'staff', 'perdure-admins') }),
    ).toMatchObject({
      tenantId,
      role: 'admin',
    });
    expect(await me({ sub: 'b', org: 'default', ...roles('a=b') })).toMatchObject({ role: 'operator' });
    expect(await me({ sub: 'c', org: 'default', realm_access: { roles: 'openid staff' } })).toMatchObject({
      role: 'member',
    });
  });

  test.each([
    ['no tenant', { ...roles('staff') }],
    ['a tenant that is not there', { org: 'nowhere', ...roles('staff') }],
    ['a tenant by its id', { org: '00000000-0000-7000-8000-000000000001', ...roles('staff') }],
    ['several tenants', { org: ['default', 'another'], ...roles('staff') }],
    ['no role', { org: 'default' }],
    ['no role that is known', { org: 'default', ...roles('Staff', 'admin', '__proto__', 'constructor') }],
    ['a role at another place', { org: 'default', roles: ['staff'], '/realm_access/roles': ['staff'] }],
  ])('a token with %s is 403', async (_what, claims) => {
    expect(await refusal({ sub: 'nobody', ...claims })).toMatchObject({ status: 403, code: 'forbidden' });
  });

  test('a token does no more than it says itself, and its keys follow the newest one', async () => {
    const old = await provider().token({
      sub: 'd',
      org: 'default',
      ...roles('perdure-admins'),
      iat: seconds(-100),
    });
    const { body: key } = await api().ask('/v1/keys', { json: { name: 'x', role: 'admin' }, key: old });
    const asAdmin = { key: String(key['key']) };
    expect((await api().ask<Me>('/v1/me', asAdmin)).body.role).toBe('admin');
    expect(await me({ sub: 'd', org: 'default', ...roles('staff') })).toMatchObject({ role: 'member' });
    for (const asked of [asAdmin, { key: old }]) {
      const demoted = async () => (await api().ask<Me>('/v1/me', asked)).body.role === 'member';
      await waitFor(demoted, { what: 'the key and the older token to follow', timeoutMs: 1_500 });
    }
    const { user } = await me({ sub: 'd', org: 'default', ...roles('staff'), iat: seconds(2) });
    const change = { method: 'PATCH', json: { role: 'admin' } };
    expect(await api().problem(`/v1/users/${user?.id}`, change)).toMatchObject({
      status: 409,
      code: 'managed-elsewhere',
    });
  });
});

describe('the keys of the provider', () => {
  const { api, provider } = trusting();
  const status = async (token: string) => (await api().ask('/v1/me', { key: token })).status;

  test('go on while it is away; what only it could tell is 503, at once', async () => {
    provider().answers('badly');
    const early = await api().problem('/v1/me', { key: await provider().token() });
    expect(early).toMatchObject({ status: 503, code: 'unavailable' });
    expect(early.headers.get('retry-after')).toMatch(/^\d+$/);
    const asked = provider().asked();
    expect(await status(await provider().token())).toBe(503);
    expect(provider().asked()).toBe(asked);
  });
});

test('a provider whose keys nobody can read over a safe connection is not trusted', async () => {
  const environment = { OIDC_ISSUER: 'x', OIDC_AUDIENCE: 'y', OIDC_JWKS_URL: 'http://id.example.com/keys' };
  await expect(startApi(environment)).rejects.toThrow('OIDC_JWKS_URL');
  await expect(startApi({ OIDC_ISSUER: 'x' })).rejects.toThrow('OIDC_AUDIENCE is missing');
});
