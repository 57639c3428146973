import { expect, test } from '@jest/globals';
import { apiWithoutWorkers, sleepJob } from '../../../apps/api/src/testing/api-without-workers.ts';
import { Perdure, type Submitted } from './index.ts';
import { json, oddServer, problem } from './testing/odd-server.ts';

const api = apiWithoutWorkers({ MAX_JSON_BYTES: '200000' });

function perdure() {
  const asked: { key: string | null; length: number }[] = [];
  const watched: typeof fetch = async (input, init) => {
    const { requests } = JSON.parse(init?.body as string) as { requests: unknown[] };
    asked.push({ key: new Headers(init?.headers).get('idempotency-key'), length: requests.length });
    return fetch(input, init);
  };
  return { asked, client: new Perdure({ url: api().url, token: api().adminKey, fetch: watched }) };
}

async function all(from: AsyncIterable<Submitted>): Promise<Submitted[]> {
  const items: Submitted[] = [];
  for await (const item of from) items.push(item);
  return items;
}

const idsOf = (items: Submitted[]) => items.map((one) => ('job' in one ? one.job.id : one.problem.code));
const numbered = (count: number, text = '') =>
  Array.from({ length: count }, (_, i) => ({ function: 'echo', parameters: { i, text } }));

test('each of many is answered in order, and one that is refused does not stop the others', async () => {
  const { client } = perdure();
  const items = await all(client.submitMany([sleepJob, { function: 'nothing' }, { function: 'echo' }]));
  expect(items).toMatchObject([
    { index: 0, job: { function: { name: 'sleep' } } },
    { index: 1, problem: { name: 'PerdureProblem', code: 'unknown-function' } },
    { index: 2, job: { function: { name: 'echo' } } },
  ]);
});

test('more than the API takes at once goes in chunks, and again makes no job twice', async () => {
  const { client, asked } = perdure();
  const first = await all(client.submitMany(numbered(2_100), { idempotencyKey: 'nightly' }));
  expect(first.map(({ index }) => index)).toEqual(Array.from({ length: 2_100 }, (_, i) => i));
  expect(asked).toEqual([
    { key: 'nightly-0', length: 1_000 },
    { key: 'nightly-1000', length: 1_000 },
    { key: 'nightly-2000', length: 100 },
  ]);
  const lazily = async function* () {
    yield* numbered(2_100);
  };
  const again = await all(client.submitMany(lazily(), { idempotencyKey: 'nightly' }));
  expect(new Set(idsOf(first)).size).toBe(2_100);
  expect(idsOf(again)).toEqual(idsOf(first));
});

test('what is too large together goes in halves, and what is too large alone is refused alone', async () => {
  const { client, asked } = perdure();
  const requests = numbered(5, 'x'.repeat(60_000));
  const huge = { function: 'echo', parameters: { text: 'x'.repeat(250_000) } };
  const items = await all(client.submitMany([...requests, huge, sleepJob]));
  expect(items.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(items.flatMap((one) => ('problem' in one ? [[one.index, one.problem.code]] : []))).toEqual([
    [5, 'payload-too-large'],
  ]);
  expect(new Set(asked.map(({ key, length }) => `${key} ${length}`)).size).toBe(asked.length);
});

test('a single one that fails in passing is submitted once more, with the same key', async () => {
  const aJob = { status: 201, job: { id: 'j' } };
  const busy = { status: 503, problem: { status: 503, code: 'unavailable', detail: 'later' } };
  await using server = await oddServer(
    problem(503, 'unavailable', { 'retry-after': '0' }),
    json({ items: [aJob, busy] }),
    json({ items: [aJob, { status: 201, job: { id: 'k' } }] }),
  );
  const client = new Perdure({ url: server.url, token: 'pk_test' });
  expect(idsOf(await all(client.submitMany(numbered(2))))).toEqual(['j', 'k']);
  expect(new Set(server.asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);

  await using busier = await oddServer(json({ items: [aJob, busy] }));
  const impatient = new Perdure({ url: busier.url, token: 'pk_test', retries: 1 });
  expect(idsOf(await all(impatient.submitMany(numbered(2))))).toEqual(['j', 'unavailable']);
  expect(busier.asked).toHaveLength(2);
});

test('requests that end with an error, and an abort, end it', async () => {
  const { client, asked } = perdure();
  const broken = async function* () {
    yield sleepJob;
    throw new Error('line 2 is no JSON');
  };
  await expect(all(client.submitMany(broken()))).rejects.toThrow('line 2');
  await expect(all(client.submitMany([sleepJob], { signal: AbortSignal.abort('enough') }))).rejects.toBe(
    'enough',
  );
  expect(asked).toEqual([]);
});
