import { expect } from '@jest/globals';
import { readSse } from '../support/sse.ts';
import { waitFor } from '../support/wait.ts';
import { type Api, house } from './support/house.ts';
import { sharedServers } from './support/servers.ts';

let replicas: Api[];

const { scenario } = house(sharedServers, async (here) => {
  replicas = await Promise.all([here.startApi(), here.startApi()]);
});

function asked(replica: Api | undefined, path: string, init: RequestInit & { key?: string } = {}) {
  const authorization = `Bearer ${init.key ?? replica?.key}`;
  const headers = { authorization, 'content-type': 'application/json' };
  return fetch(`${replica?.url}${path}`, { ...init, headers });
}

scenario(
  'a key that one replica makes works on the others, and is over on all of them within a second',
  async () => {
    const [one, other] = replicas;
    const body = JSON.stringify({ email: 'ada@example.com', displayName: 'Ada', role: 'operator' });
    const user = (await (await asked(one, '/v1/users', { method: 'POST', body })).json()) as { id: string };
    const wanted = JSON.stringify({ userId: user.id, name: 'laptop' });
    const made = await asked(other, '/v1/keys', { method: 'POST', body: wanted });
    const { id, key } = (await made.json()) as { id: string; key: string };
    const statuses = () =>
      Promise.all(replicas.map(async (each) => (await asked(each, '/v1/me', { key })).status));
    expect(await statuses()).toEqual([200, 200]);
    const streams = await Promise.all(replicas.map(({ url }) => readSse(`${url}/v1/events`, { key })));
    expect((await asked(one, `/v1/keys/${id}`, { method: 'DELETE' })).status).toBe(204);
    const over = async () => (await statuses()).every((status) => status === 401);
    await waitFor(over, { what: 'the key to be refused by both', timeoutMs: 1_500 });
    expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual([true, true]);
  },
);
