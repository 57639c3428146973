import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AddressInfo } from 'node:net';
import { waitFor } from '../../../../tests/support/wait.ts';
import { createApp } from '../app.ts';
import { startApi, type TestApi } from '../testing/api.ts';

const limits = {
  RATE_LIMIT_PER_KEY: '20',
  RATE_LIMIT_PER_TENANT: '50',
  RATE_LIMIT_WINDOW_SECONDS: '3600',
};
let api: TestApi;
let twin: Awaited<ReturnType<typeof createApp>>;
let twinUrl: string;
beforeAll(async () => {
  api = await startApi(limits);
  twin = await createApp(api.config);
  await twin.listen(0, '127.0.0.1');
  twinUrl = `http://127.0.0.1:${(twin.getHttpServer().address() as AddressInfo).port}`;
});
afterAll(async () => {
  await twin.close();
  await api.stop();
});

const path = '/v1/me';
const left = (headers: Headers, name: string): number =>
  Number(new RegExp(`"${name}";r=(\\d+)`).exec(headers.get('ratelimit') ?? '')?.[1] ?? Number.NaN);
const atTwin = (key: string) => fetch(`${twinUrl}${path}`, { headers: { authorization: `Bearer ${key}` } });

test('a key is told what it may do, and refused beyond it; another key of the tenant goes on', async () => {
  const [key, other] = [await api.keyFor('member'), await api.keyFor('member')];
  const first = await api.ask(path, { key });
  expect(first.headers.get('ratelimit-policy')).toBe('"key";q=20;w=3600, "tenant";q=50;w=3600');
  expect(left(first.headers, 'key')).toBe(19);
  for (let request = 2; request <= 20; request++) expect((await api.ask(path, { key })).status).toBe(200);
  const refused = await api.problem(path, { key });
  expect(refused).toMatchObject({ status: 429, code: 'too-many-requests' });
  expect(left(refused.headers, 'key')).toBe(0);
  const seconds = Number(refused.headers.get('retry-after'));
  expect(seconds).toBeGreaterThan(0);
  expect(refused.headers.get('ratelimit')).toContain(`"key";r=0;t=${seconds}`);
  expect((await api.ask(path, { key: other })).status).toBe(200);
});

test('what nobody may do counts as well, and what is not authenticated counts for nobody', async () => {
  const key = await api.keyFor('member');
  expect((await api.problem('/v1/users', { key })).status).toBe(403);
  expect(left((await api.ask(path, { key })).headers, 'key')).toBe(18);
  const anonymous = await api.ask(path, { key: null });
  expect(anonymous.status).toBe(401);
  expect(anonymous.headers.has('ratelimit')).toBe(false);
});

test('replicas count together, and a tenant has a limit over all its keys', async () => {
  const tenantId = '00000000-0000-7000-8000-0000000000ab';
  await api.db.kysely.insertInto('tenants').values({ tenantId, name: 'counted' }).execute();
  const [one, two, three] = [
    await api.keyFor('member', tenantId),
    await api.keyFor('member', tenantId),
    await api.keyFor('member', tenantId),
  ];
  for (let request = 1; request <= 18; request++) {
    await api.ask(path, { key: one });
    await atTwin(two);
  }
  const told = (requests: number) => async (): Promise<boolean> => {
    const { rows } = await api.db.pool.query<{ requests: string }>(
      "select requests from request_counts where tenant_id = $1 and subject = 'all'",
      [tenantId],
    );
    return Number(rows[0]?.requests) === requests;
  };
  await waitFor(told(36), { what: 'both replicas to have told what they counted' });
  // What the others have counted a replica learns when it next tells of itself.
  await api.ask(path, { key: three });
  await waitFor(told(37), { what: 'one replica to know what the other has counted' });
  let granted = 0;
  while ((await api.ask(path, { key: three })).status === 200) granted++;
  expect(granted).toBe(13);
  const refused = await api.problem(path, { key: one });
  expect(refused.detail).toContain('The tenant of this key');
});
