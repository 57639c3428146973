import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Job, KeyPage } from '@perdure/job/schemas';
import { readSse } from '../../../../tests/support/sse.ts';
import { waitFor } from '../../../../tests/support/wait.ts';
import { apiWithoutWorkers, sleepJob } from '../testing/api-without-workers.ts';
import { type IdentityProvider, startIdentityProvider } from '../testing/identity-provider.ts';

let provider: IdentityProvider;
const environment: Record<string, string> = {};
beforeAll(async () => {
  provider = await startIdentityProvider();
  Object.assign(environment, provider.environment);
});
afterAll(() => provider.stop());
const api = apiWithoutWorkers(environment);

/** "Within a second or so": a second of freshness, a round, and slow machines. */
const soonMs = 2_500;

let job: Job;
beforeAll(async () => void (job = await api().submitted(sleepJob)));

async function revoke(key: string): Promise<void> {
  const { items } = KeyPage.parse((await api().ask('/v1/keys', { key })).body);
  for (const { id } of items) await api().ask(`/v1/keys/${id}`, { method: 'DELETE' });
}

const held: [string, string, string][] = [
  ['the stream of a job', '/v1/jobs/{id}/events', 'text/event-stream'],
  ['the stream of a tenant', '/v1/events', 'text/event-stream'],
  ['a followed log', '/v1/jobs/{id}/logs?follow=true', 'application/x-ndjson'],
];

/** An answer that is being read; `ended` when it has come to a proper end. */
async function reading(path: string, accept: string, key: string) {
  const leaving = new AbortController();
  const headers = { authorization: `Bearer ${key}`, accept };
  const { status, body } = await fetch(`${api().url}${path}`, { headers, signal: leaving.signal });
  const seen = { ended: false, close: () => leaving.abort(), over: Promise.resolve() };
  seen.over = new Response(body).text().then(
    () => void (seen.ended = true),
    () => {},
  );
  expect(status).toBe(200);
  return seen;
}

test.each(held)('%s ends once its key is revoked, and no other does', async (_what, path, accept) => {
  const keys = [await api().keyFor('operator'), await api().keyFor('operator')] as const;
  const open = (key: string) => reading(path.replace('{id}', job.id), accept, key);
  const [one, other] = await Promise.all([open(keys[0]), open(keys[1])]);
  await revoke(keys[0]);
  const begun = performance.now();
  // Whoever reads to the end asks again, and is refused.
  await one.over;
  expect([one.ended, other.ended]).toEqual([true, false]);
  expect(performance.now() - begun).toBeLessThan(soonMs);
  other.close();
  await other.over;
});

describe('a long poll', () => {
  test('is refused once its key is revoked', async () => {
    const key = await api().keyFor('operator');
    await api().ask('/v1/me', { key });
    const begun = performance.now();
    const waiting = api().problem(`/v1/jobs/${job.id}`, { key, headers: { prefer: 'wait=30' } });
    await waitFor(async () => /perdure_waiters 1/.test((await api().ask('/metrics')).text), {
      what: 'it to wait',
    });
    await revoke(key);
    expect(await waiting).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(performance.now() - begun).toBeLessThan(soonMs + 1_000);
  });

  test('is refused once its user may no longer read', async () => {
    const user = await api().userWith('operator');
    const { body } = await api().ask('/v1/keys', { json: { userId: user.id, name: 'x' } });
    const key = String(body['key']);
    const waiting = api().problem(`/v1/jobs/${job.id}`, { key, headers: { prefer: 'wait=30' } });
    await waitFor(async () => /perdure_waiters 1/.test((await api().ask('/metrics')).text), {
      what: 'it to wait',
    });
    await api().ask(`/v1/users/${user.id}`, { method: 'PATCH', json: { disabled: true } });
    expect(await waiting).toMatchObject({ status: 401 });
  });

  test('of a submit ends with the job that was made', async () => {
    const key = await api().keyFor('member');
    const waiting = api().ask<Job>('/v1/jobs', { json: sleepJob, key, headers: { prefer: 'wait=30' } });
    await waitFor(async () => /perdure_waiters 1/.test((await api().ask('/metrics')).text), {
      what: 'it to wait',
    });
    await revoke(key);
    expect(await waiting).toMatchObject({ status: 201, body: { status: 'CREATED' } });
  });
});

/** Reads a job of another user: `given`, by the access to it; else by what its role may see. */
async function aReader(given: boolean) {
  const user = await api().userWith(given ? 'member' : 'operator');
  const { body } = await api().ask('/v1/keys', { json: { userId: user.id, name: 'x' } });
  const json = { user: { id: user.id }, access: 'viewer' };
  if (given) await api().ask(`/v1/jobs/${job.id}/access`, { method: 'PUT', json });
  const end = () =>
    given
      ? api().ask(`/v1/jobs/${job.id}/access/${user.id}`, { method: 'DELETE' })
      : api().ask(`/v1/users/${user.id}`, { method: 'PATCH', json: { role: 'member' } });
  return { key: String(body['key']), end };
}

describe.each([
  ['the access is taken away', true],
  ['the role sees others’ jobs no longer', false],
])('where %s', (_what, given) => {
  test.each(held.filter(([, path]) => path !== '/v1/events'))('%s ends', async (_stream, path, accept) => {
    const { key, end } = await aReader(given);
    const stream = await reading(path.replace('{id}', job.id), accept, key);
    const begun = performance.now();
    await end();
    await stream.over;
    expect(stream.ended).toBe(true);
    expect(performance.now() - begun).toBeLessThan(soonMs);
  });

  test('a long poll is refused', async () => {
    const { key, end } = await aReader(given);
    const waiting = api().problem(`/v1/jobs/${job.id}`, { key, headers: { prefer: 'wait=30' } });
    await waitFor(async () => /perdure_waiters 1/.test((await api().ask('/metrics')).text), {
      what: 'it to wait',
    });
    await end();
    expect(await waiting).toMatchObject({ status: given ? 404 : 403 });
  });
});

const brief: [string, () => Promise<string>][] = [
  [
    'key',
    async () => {
      const expiresAt = new Date(Date.now() + 3_000).toISOString();
      return String((await api().ask('/v1/keys', { json: { name: 'brief', expiresAt } })).body['key']);
    },
  ],
  // Clocks may be 30 seconds apart.
  ['token', () => provider.token({ exp: Math.floor(Date.now() / 1_000) - 26 })],
];

test.each(brief)('a stream ends when its %s expires', async (_what, make) => {
  const key = await make();
  const { id } = (await api().ask<Job>('/v1/jobs', { json: sleepJob, key })).body;
  const stream = await readSse(`${api().url}/v1/jobs/${id}/events`, { key });
  expect(stream.status).toBe(200);
  expect(await stream.ended).toBe(true);
  expect((await api().ask('/v1/me', { key })).status).toBe(401);
});
