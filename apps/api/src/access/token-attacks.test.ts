import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CompactSign, SignJWT, UnsecuredJWT } from 'jose';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { startApi, type TestApi } from '../testing/api.ts';
import {
  aSigningKey,
  type IdentityProvider,
  type SigningKey,
  startIdentityProvider,
} from '../testing/identity-provider.ts';

let provider: IdentityProvider;
let api: TestApi;
let attacker: SigningKey;
/** Serves the attacker's keys; nobody may ever ask it. */
let lure: ReturnType<typeof createServer>;
let lured = 0;
const lines: string[] = [];

beforeAll(async () => {
  provider = await startIdentityProvider();
  attacker = await aSigningKey('attacker');
  lure = createServer((_request, response) => {
    lured++;
    response.end(JSON.stringify({ keys: [attacker.jwk] }));
  }).listen(0, '127.0.0.1');
  await once(lure, 'listening');
  api = await startApi({ ...provider.environment, LOG_LEVEL: 'trace' }, undefined, {
    write: (line: string) => void lines.push(line),
  });
});
afterAll(async () => {
  await api.stop();
  provider.stop();
  lure.close();
});

const lureUrl = () => `http://127.0.0.1:${(lure.address() as AddressInfo).port}/keys`;
const seconds = (from: number) => Math.floor(Date.now() / 1_000) + from;
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = () => ({
  iss: provider.issuer,
  aud: 'perdure',
  sub: 'ada',
  iat: seconds(0),
  exp: seconds(300),
});

/** An HMAC with something public for the secret. */
async function signedWithPublicKey(secret: string): Promise<string> {
  const text = `${part({ alg: 'HS256', kid: 'key-1', typ: 'at+jwt' })}.${part(claims())}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const unsigned = 'The token is not signed by the identity provider';
const algorithm = 'The algorithm of the token is not accepted';
const unreadable = 'The token cannot be read';

const attacks: [string, () => Promise<string>, string][] = [
  [
    'without a signature',
    async () => `${part({ alg: 'none', typ: 'at+jwt' })}.${part(claims())}.`,
    algorithm,
  ],
  ['of jose itself without a signature', async () => new UnsecuredJWT(claims()).encode(), algorithm],
  ['of alg nOnE', async () => `${part({ alg: 'nOnE' })}.${part(claims())}.`, algorithm],
  ['signed by HMAC with the public key (PEM)', () => signedWithPublicKey(provider.key.spki), algorithm],
  [
    'signed by HMAC with the public key (JWK)',
    () => signedWithPublicKey(JSON.stringify(provider.key.jwk)),
    algorithm,
  ],
  ['signed by HMAC with nothing', () => signedWithPublicKey(''), algorithm],
  [
    'of an algorithm that is not on the list',
    async () => provider.token({}, { alg: 'PS256' }, await aSigningKey('key-1', 'PS256')),
    algorithm,
  ],
  [
    'of another algorithm than its key',
    async () => provider.token({}, {}, await aSigningKey('key-1', 'ES256')),
    unsigned,
  ],
  ['signed by a stranger under a known kid', () => provider.token({}, { kid: 'key-1' }, attacker), unsigned],
  ['signed by a stranger under its own kid', () => provider.token({}, {}, attacker), unsigned],
  ['signed by a stranger without a kid', () => provider.token({}, { kid: undefined }, attacker), unsigned],
  ['that leads to foreign keys (jku)', () => provider.token({}, { jku: lureUrl() }, attacker), unsigned],
  [
    'that leads to a foreign certificate (x5u)',
    () => provider.token({}, { x5u: lureUrl() }, attacker),
    unsigned,
  ],
  ['that brings its own key (jwk)', () => provider.token({}, { jwk: attacker.jwk }, attacker), unsigned],
  [
    'that brings its own certificate (x5c)',
    () => provider.token({}, { x5c: [attacker.spki] }, attacker),
    unsigned,
  ],
  ['with a kid that is a path', () => provider.token({}, { kid: '../../../dev/null' }, attacker), unsigned],
  ['with a kid that is SQL', () => provider.token({}, { kid: "' union select 'key" }, attacker), unsigned],
  [
    'with an extension that is critical and unknown',
    () =>
      new SignJWT(claims())
        .setProtectedHeader({ alg: 'RS256', kid: 'key-1', typ: 'at+jwt', crit: ['x'], x: 1 })
        .sign(provider.key.privateKey, { crit: { x: true } }),
    unreadable,
  ],
  [
    'for somebody else',
    () => provider.token({ aud: 'another' }),
    'The claim aud of the token is not accepted',
  ],
  [
    'for nobody',
    () => provider.token({ aud: undefined as never }),
    'The claim aud of the token is not accepted',
  ],
  [
    'of another issuer',
    () => provider.token({ iss: 'https://evil.example.com/' }),
    'The claim iss of the token is not accepted',
  ],
  [
    'of an issuer that only begins so',
    () => provider.token({ iss: `${provider.issuer}x` }),
    'The claim iss of the token is not accepted',
  ],
  ['of another type', () => provider.token({}, { typ: 'dpop+jwt' }), 'The token is of another type'],
  ['of no type', () => provider.token({}, { typ: undefined }), 'The token is of another type'],
  ['that has expired', () => provider.token({ exp: seconds(-60) }), 'The token has expired'],
  [
    'that never expires',
    () => provider.token({ exp: undefined as never }),
    'The claim exp of the token is not accepted',
  ],
  [
    'that is not good yet',
    () => provider.token({ nbf: seconds(60) }),
    'The claim nbf of the token is not accepted',
  ],
  [
    'of nobody',
    () => provider.token({ sub: undefined as never }),
    'The claim sub of the token is not accepted',
  ],
  ['of an empty subject', () => provider.token({ sub: '' }), 'The claim sub of the token is not accepted'],
  [
    'of a subject that is no text',
    () => provider.token({ sub: 7 as never }),
    'The claim sub of the token is not accepted',
  ],
  ['that is huge', () => provider.token({ junk: 'x'.repeat(8_000) }), 'The token is too long'],
  [
    'that holds no JSON',
    async () =>
      new CompactSign(Buffer.from('no JSON'))
        .setProtectedHeader({ alg: 'RS256', kid: 'key-1', typ: 'at+jwt' })
        .sign(provider.key.privateKey),
    unreadable,
  ],
  [
    'that holds a list',
    async () =>
      new CompactSign(Buffer.from('[]'))
        .setProtectedHeader({ alg: 'RS256', kid: 'key-1', typ: 'at+jwt' })
        .sign(provider.key.privateKey),
    unreadable,
  ],
  ['of empty parts', async () => '..', unreadable],
  ['of four parts', async () => `${await provider.token()}.x`, unreadable],
  ['of five parts (encrypted)', async () => `${await provider.token()}.x.y`, unreadable],
  ['of two parts', async () => 'e30.e30', unreadable],
  [
    'whose claims were changed',
    async () => {
      const [header, , signature] = (await provider.token()).split('.');
      return `${header}.${part({ ...claims(), sub: 'admin' })}.${signature}`;
    },
    unsigned,
  ],
  [
    'whose signature was cut off',
    async () => `${(await provider.token()).split('.').slice(0, 2).join('.')}.`,
    unsigned,
  ],
];

test.each(attacks)('a token %s is refused', async (_what, forge, why) => {
  const token = await forge();
  const problem = await api.problem('/v1/me', { key: token });
  expect(problem).toMatchObject({ status: 401, code: 'unauthenticated', detail: why });
  expect(problem.headers.get('www-authenticate')).toBe('Bearer realm="perdure", error="invalid_token"');
  // Neither the token nor a part of it is told or logged.
  const told = [JSON.stringify(problem), ...lines].join('\n');
  for (const piece of token.split('.').filter((one) => one.length > 8)) expect(told).not.toContain(piece);
});

test('no address that a token named was ever asked, and no user was made', async () => {
  expect(lured).toBe(0);
  const users = await api.db.kysely
    .selectFrom('users')
    .select('subject')
    .where('subject', 'is not', null)
    .execute();
  expect(users).toEqual([]);
});

test('a good token is let in, and so is one that is signed by the provider and names foreign keys', async () => {
  for (const header of [
    {},
    { typ: 'JWT' },
    { typ: 'application/at+jwt' },
    { jku: lureUrl(), jwk: attacker.jwk },
  ])
    expect((await api.ask('/v1/me', { key: await provider.token({}, header) })).status).toBe(200);
  expect(
    (await api.ask('/v1/me', { key: await provider.token({ aud: ['another', 'perdure'] }) })).status,
  ).toBe(200);
  expect((await api.ask('/v1/me', { key: await provider.token({ exp: seconds(-10) }) })).status).toBe(200);
  expect(lured).toBe(0);
  const symmetric = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32));
  expect((await api.ask('/v1/me', { key: symmetric })).status).toBe(401);
});
