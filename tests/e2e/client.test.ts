import { expect } from '@jest/globals';
import { Perdure } from '@perdure/client';
import { startProxy } from '../support/proxy.ts';
import { waitFor } from '../support/wait.ts';
import { type Api, house } from './support/house.ts';
import { sharedServers } from './support/servers.ts';

let api: Api;
const { scenario } = house(sharedServers, async (here) => {
  const started = await Promise.all([here.startApi(), here.startOrchestrator(), here.startAgent()]);
  api = started[0];
});

const client = (url = api.url) => new Perdure({ url, token: api.key });
/** Goes on until the test has seen enough, and cancels it. */
const counting = { function: 'count', parameters: { to: 100_000, everyMs: 100 } };

async function kill(): Promise<void> {
  await api.program().kill();
  await api.startAgain();
}

/** Takes what comes one by one, and looks at how many came at any time. */
function collect<T>(from: AsyncIterable<T>): { items: T[]; over: Promise<void> } {
  const items: T[] = [];
  const take = async (): Promise<void> => {
    for await (const item of from) items.push(item);
  };
  return { items, over: take() };
}

const more = (than: { length: number }, count = than.length + 3) =>
  waitFor(() => than.length >= count, { what: `${count} of them`, timeoutMs: 20_000 });

scenario('waiting goes on over an API that is killed and started again', async () => {
  const job = await client().submit(counting);
  const changes: number[] = [];
  const waited = client().wait(job.id, { onChange: ({ revision }) => changes.push(revision) });
  await more(changes);
  await kill();
  await more(changes);
  await client().cancel(job.id);
  await kill();
  expect(await waited).toMatchObject({ id: job.id, status: 'CANCELED' });
  expect(changes).toEqual([...new Set(changes)].sort((a, b) => a - b));
});

scenario('events go on over an API that is killed, without gap or repeat', async () => {
  const job = await client().submit(counting);
  const { items, over } = collect(client().events(job.id));
  await more(items);
  await kill();
  await more(items);
  await client().cancel(job.id);
  await kill();
  await over;
  const ids = items.map(({ id }) => Number(id));
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  const told = items.flatMap((one) => (one.type === 'history' ? [one.event.seq] : []));
  expect(told).toEqual((await client().history(job.id)).map(({ seq }) => seq));
  expect(items.some(({ type }) => type === 'job')).toBe(true);

  const middle = items[Math.floor(items.length / 2)]?.id;
  const rest = collect(client().events(job.id, { lastEventId: middle }));
  await rest.over;
  expect(rest.items.length).toBeGreaterThan(0);
  expect(rest.items.every(({ id }) => Number(id) > Number(middle))).toBe(true);
  const beyond = collect(client().events(job.id, { lastEventId: items.at(-1)?.id }));
  await beyond.over;
  expect(beyond.items).toEqual([]);
});

scenario(
  'logs go on over an API that is killed and a connection that is cut, without gap or repeat',
  async () => {
    const proxy = await startProxy('127.0.0.1', Number(new URL(api.url).port));
    const job = await client().submit(counting);
    const { items, over } = collect(client(`http://127.0.0.1:${proxy.port}`).logs(job.id, { follow: true }));
    await more(items);
    await kill();
    await more(items);
    proxy.cut();
    proxy.restore();
    await more(items);
    await client().cancel(job.id);
    await over;
    proxy.stop();
    const counted = items
      .filter(({ stream }) => stream === 'log')
      .map(({ text }) => Number(text.split(' ')[0]));
    expect(counted).toEqual(counted.map((_, index) => index + 1));
    const { items: again, over: done } = collect(client().logs(job.id));
    await done;
    expect(again).toEqual(items);
  },
);

scenario('a submit that meets an API on its way down makes one job', async () => {
  const proxy = await startProxy('127.0.0.1', Number(new URL(api.url).port));
  const through = client(`http://127.0.0.1:${proxy.port}`);
  proxy.cut();
  const submitted = through.submit({ function: 'echo', name: 'once' }, { waitSeconds: 20 });
  proxy.restore();
  const restarted = kill();
  const job = await submitted;
  await restarted;
  proxy.stop();
  expect(await client().wait(job.id)).toMatchObject({ status: 'COMPLETED' });
  expect((await api.list()).filter(({ name }) => name === 'once')).toHaveLength(1);
});
