import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { errors, jwtVerify } from 'jose';
import { waitFor } from '../../../../tests/support/wait.ts';
import { aSigningKey, type IdentityProvider, startIdentityProvider } from '../testing/identity-provider.ts';
import { ProviderKeys } from './provider-keys.ts';

let provider: IdentityProvider;
const started: IdentityProvider[] = [];
beforeEach(async () => void started.push((provider = await startIdentityProvider())));
afterAll(() => started.forEach((one) => one.stop()));

const hour = 3_600_000;
const patient = { refreshMs: hour, maxAgeMs: hour, cooldownMs: hour, pauseMs: 0 };
const away = { code: 'unavailable' };
const verify = (keys: ProviderKeys, token: string) => jwtVerify(token, keys.find);

test('they are asked for once, however many need them', async () => {
  const keys = new ProviderKeys(provider.jwksUrl, patient);
  const token = await provider.token();
  await Promise.all(Array.from({ length: 10 }, () => verify(keys, token)));
  expect(provider.asked()).toBe(1);
});

test('a key that is new is found, but strangers do not make the provider be asked again and again', async () => {
  const next = await aSigningKey('key-2');
  const eager = new ProviderKeys(provider.jwksUrl, { ...patient, cooldownMs: 0 });
  const cool = new ProviderKeys(provider.jwksUrl, patient);
  for (const keys of [eager, cool]) await verify(keys, await provider.token());
  provider.publish(provider.key, next);
  const token = await provider.token({}, {}, next);
  await verify(eager, token);
  const asked = provider.asked();
  for (let count = 0; count < 5; count++)
    await expect(verify(cool, token)).rejects.toThrow(errors.JWKSNoMatchingKey);
  expect(provider.asked()).toBe(asked);
});

test('while the provider is away, known keys go on, and unknown ones are not waited for', async () => {
  const keys = new ProviderKeys(provider.jwksUrl, { ...patient, cooldownMs: 0, refreshMs: 0, pauseMs: hour });
  const known = await provider.token();
  await verify(keys, known);
  provider.answers('badly');
  const unknown = await provider.token({}, {}, await aSigningKey('key-2'));
  await expect(verify(keys, unknown)).rejects.toMatchObject(away);
  const asked = provider.asked();
  await verify(keys, known);
  await expect(verify(keys, unknown)).rejects.toMatchObject(away);
  expect(provider.asked()).toBe(asked);
});

test('a provider that never answers is waited for a few seconds, once', async () => {
  provider.answers('never');
  const keys = new ProviderKeys(provider.jwksUrl, { ...patient, pauseMs: hour });
  const token = await provider.token();
  const begun = performance.now();
  await expect(verify(keys, token)).rejects.toMatchObject(away);
  await expect(verify(keys, token)).rejects.toMatchObject(away);
  expect(performance.now() - begun).toBeLessThan(4_000);
});

test('a key that the provider has taken back is forgotten in the background', async () => {
  const keys = new ProviderKeys(provider.jwksUrl, { ...patient, refreshMs: 0 });
  const token = await provider.token();
  await verify(keys, token);
  provider.publish(await aSigningKey('key-2'));
  const forgotten = () =>
    verify(keys, token).then(
      () => false,
      (error) => error instanceof errors.JWKSNoMatchingKey,
    );
  await waitFor(forgotten, { what: 'the key to be forgotten' });
});

test('keys that nobody has confirmed for too long are not believed', async () => {
  const keys = new ProviderKeys(provider.jwksUrl, { ...patient, maxAgeMs: -1 });
  const token = await provider.token();
  await verify(keys, token);
  provider.answers('badly');
  await expect(verify(keys, token)).rejects.toMatchObject(away);
});
