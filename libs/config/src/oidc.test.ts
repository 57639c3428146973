import { expect, test } from '@jest/globals';
import { loadApiConfig } from './api.ts';

const needed = { DATABASE_URL: 'postgres://me@db/perdure', STORAGE_URL: 'file:/var/lib/perdure' };
const provider = {
  OIDC_ISSUER: 'https://id.example.com/',
  OIDC_AUDIENCE: 'perdure',
  OIDC_JWKS_URL: 'https://id.example.com/keys',
};
const load = (env: Record<string, string>) => loadApiConfig({ ...needed, ...env }).oidc;

test('without a provider no tokens are accepted', () => {
  expect(load({ OIDC_ALGORITHMS: 'EdDSA' })).toBeUndefined();
});

test('a provider is three variables; all else has a default', () => {
  expect(load(provider)).toMatchObject({
    issuer: 'https://id.example.com/',
    algorithms: ['RS256', 'ES256'],
    types: ['at+jwt', 'JWT'],
    clockToleranceSeconds: 30,
    tenant: 'default',
    role: undefined,
  });
});

test('a value of a claim may have any characters but a comma', () => {
  const env = {
    ...provider,
    OIDC_ROLE_CLAIM: 'groups',
    OIDC_ROLES: 'cn=ops, dc=x=operator,perdure admins=admin',
  };
  expect(() => load(env)).toThrow('OIDC_ROLES is');
  const roles = load({ ...env, OIDC_ROLES: 'cn=ops=operator, perdure admins=admin' })?.role?.roles;
  expect([...(roles ?? [])]).toEqual([
    ['cn=ops', 'operator'],
    ['perdure admins', 'admin'],
  ]);
});

test.each([
  ['OIDC_ALGORITHMS', 'HS256'],
  ['OIDC_ALGORITHMS', 'none'],
  ['OIDC_ALGORITHMS', 'RS256,HS256'],
  ['OIDC_TOKEN_TYPES', 'id'],
  ['OIDC_JWKS_URL', 'http://id.example.com/keys'],
  ['OIDC_JWKS_URL', 'http://127.0.0.1:80@id.example.com/keys'],
  ['OIDC_JWKS_URL', 'http://localhost.example.com/keys'],
  ['OIDC_JWKS_URL', 'file:///etc/keys'],
  ['OIDC_JWKS_URL', 'https://'],
  ['OIDC_CLOCK_TOLERANCE_SECONDS', '301'],
  ['OIDC_TENANT', 'Not A Name'],
])('%s=%s is refused', (name, value) => {
  expect(() => load({ ...provider, [name]: value })).toThrow(`${name} is '${value}'`);
});

test.each([
  [{ OIDC_ISSUER: 'x' }, ['OIDC_AUDIENCE', 'OIDC_JWKS_URL']],
  [{ ...provider, OIDC_AUDIENCE: '' }, ['OIDC_AUDIENCE']],
  [{ ...provider, OIDC_ROLE_CLAIM: 'groups' }, ['OIDC_ROLES']],
  [{ ...provider, OIDC_ROLES: 'a=admin' }, ['OIDC_ROLE_CLAIM']],
])('%j lacks %j', (env, missing) => {
  for (const name of missing) expect(() => load(env)).toThrow(`${name} is missing`);
});
