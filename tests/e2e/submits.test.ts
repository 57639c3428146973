import { expect } from '@jest/globals';
import { Batch } from '@perdure/job/schemas';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../support/wait.ts';
import { type Api, house } from './support/house.ts';
import { expectCompletedOnce } from './support/life.ts';
import { sharedServers } from './support/servers.ts';

/** Two replicas of the API. */
let api: Api;
let other: Api;

const { scenario } = house(sharedServers, async (here) => {
  [api, other] = await Promise.all([
    here.startApi(),
    here.startApi(),
    here.startOrchestrator(),
    here.startAgent({ AGENT_SLOTS: '8' }),
  ]);
});

async function batched(replica: Api, json: object, key: string): Promise<Batch['items']> {
  const answer = await replica.post('/v1/jobs:batch', json, { 'idempotency-key': key });
  expect(answer.status).toBe(207);
  return Batch.parse(await answer.json()).items;
}
const idsOf = (items: Batch['items']): string[] =>
  items.map((item) => ('job' in item ? item.job.id : 'none'));
const made = async (name: string): Promise<string[]> =>
  (await api.list()).filter((job) => job.name === name).map(({ id }) => id);

scenario('the same batch sent at once to two replicas makes each job once', async () => {
  const name = randomUUID();
  const json = {
    requests: Array.from({ length: 20 }, (_, i) => ({ function: 'echo', name, parameters: { i } })),
  };
  const key = randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => batched(index % 2 === 0 ? api : other, json, key)),
  );
  const [ids = []] = answers.map(idsOf);
  for (const items of answers) expect(idsOf(items)).toEqual(ids);
  expect((await made(name)).sort()).toEqual([...ids].sort());
  await Promise.all(ids.map((id) => expectCompletedOnce(api, id)));
});

scenario('killing the API in the middle of a batch loses no job and makes none twice', async () => {
  const name = randomUUID();
  const json = {
    requests: Array.from({ length: 60 }, (_, i) => ({ function: 'echo', name, parameters: { i } })),
  };
  const key = randomUUID();
  // A consumer that got no answer asks again with the same key.
  const asked = waitFor(() => batched(other, json, key), { what: 'an answer', timeoutMs: 60_000 });
  await waitFor(async () => (await made(name)).length > 0, { what: 'the jobs to be stored', everyMs: 1 });
  await other.program().kill();
  await other.startAgain();
  const ids = idsOf(await asked);
  expect((await made(name)).sort()).toEqual([...ids].sort());
  await Promise.all(ids.map((id) => expectCompletedOnce(api, id)));
});
