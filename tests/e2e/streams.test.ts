import { expect } from '@jest/globals';
import { StreamedEvent } from '@perdure/job/schemas';
import { readSse, type SseMessage } from '../support/sse.ts';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let replicas: [Api, Api];

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  const [one, two] = await Promise.all([
    here.startApi(),
    here.startApi(),
    here.startOrchestrator(),
    here.startAgent({ AGENT_SLOTS: '8' }),
  ]);
  replicas = [one, two];
});

type Reading = {
  messages: SseMessage[];
  connections: number;
  isOver: boolean;
  over: Promise<void>;
  stop(): void;
};

/** Reads a stream to its end, or until it is stopped. Whenever it breaks off, goes on at the other replica after the last message. */
function follow(path: string, lastEventId?: string): Reading {
  let stopped = false;
  let close = () => {};
  const read = async (): Promise<void> => {
    let last = lastEventId;
    while (!stopped) {
      const { url, key } = replicas[reading.connections % 2 === 0 ? 0 : 1];
      reading.connections++;
      const stream = await readSse(`${url}${path}`, { key, lastEventId: last }).catch(() => undefined);
      if (stream === undefined) continue;
      if (stream.status === 204) return;
      close = stream.close;
      const ended = await stream.ended;
      reading.messages.push(...stream.messages);
      last = stream.lastEventId;
      if (ended && stream.status === 200 && path !== '/v1/events') return;
    }
  };
  const reading: Reading = {
    messages: [],
    connections: 0,
    isOver: false,
    over: Promise.resolve(),
    stop: () => {
      stopped = true;
      close();
    },
  };
  reading.over = read().finally(() => (reading.isOver = true));
  return reading;
}

const historyOf = (messages: readonly SseMessage[]) =>
  messages.filter(({ event }) => event === 'history').map(({ data }) => StreamedEvent.parse(data));

async function placeOfNow(): Promise<string> {
  const [{ url, key }] = replicas;
  const stream = await readSse(`${url}/v1/events`, { key });
  const place = await waitFor(() => stream.lastEventId, { what: 'a place' });
  stream.close();
  return place;
}

/** Jobs that take a while, each with progress; their streams, and that of the tenant from before them on. */
async function startAndFollow(count: number) {
  const all = follow('/v1/events', await placeOfNow());
  const request = { function: 'count', parameters: { to: 40, everyMs: 100 } };
  const jobs = await Promise.all(Array.from({ length: count }, () => replicas[0].submit(request)));
  const each = jobs.map(({ id }) => ({ id, reading: follow(`/v1/jobs/${id}/events`) }));
  await Promise.all(jobs.map(({ id }) => replicas[0].running(id)));
  return { all, each };
}

/** Every event was told once, in order; what was told of all jobs together is what was told of each. */
async function expectAllTold({ all, each }: Awaited<ReturnType<typeof startAndFollow>>): Promise<void> {
  const told: string[] = [];
  for (const { id, reading } of each) {
    await reading.over;
    const ids = reading.messages.map((message) => Number(message.id));
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    const history = await replicas[0].history(id);
    const events = historyOf(reading.messages);
    expect(events.map(({ jobId: _job, revision: _revision, ...event }) => event)).toEqual(history);
    expect(events.at(-1)?.status).toBe('COMPLETED');
    told.push(...events.map(({ seq }) => `${id} ${seq}`));
  }
  const toldOfAll = () => historyOf(all.messages).map(({ jobId, seq }) => `${jobId} ${seq}`);
  // What has come on a connection counts once that is closed: the last one is closed here.
  all.stop();
  await all.over;
  const rest = await readRest(all, told.length - toldOfAll().length);
  expect([...toldOfAll(), ...historyOf(rest).map(({ jobId, seq }) => `${jobId} ${seq}`)].sort()).toEqual(
    told.sort(),
  );
}

async function readRest(all: Reading, count: number): Promise<SseMessage[]> {
  const [{ url, key }] = replicas;
  const stream = await readSse(`${url}/v1/events`, { key, lastEventId: all.messages.at(-1)?.id });
  await waitFor(() => stream.messages.length >= count, { what: 'the rest of the events' });
  stream.close();
  return stream.messages;
}

scenario('streams go on over replicas that are killed, without gap or repeat', async () => {
  const followed = await startAndFollow(4);
  for (const round of [0, 1, 2, 3]) {
    const replica = replicas[round % 2 === 0 ? 0 : 1];
    const before = followed.each.map(({ reading }) => reading.connections);
    await replica.program().kill();
    await replica.startAgain();
    const onIt = (index: number) => (before[index] ?? 0) % 2 === (round + 1) % 2;
    await waitFor(
      () =>
        followed.each.every(
          // A job may have ended just before.
          ({ reading }, index) =>
            !onIt(index) || reading.isOver || reading.connections > (before[index] ?? 0),
        ),
      { what: 'the readers to go on' },
    );
  }
  expect(followed.each.some(({ reading }) => reading.connections > 1)).toBe(true);
  expect(followed.all.connections).toBeGreaterThan(1);
  await expectAllTold(followed);
});

scenario('streams and long polls miss nothing when the listening connection is lost', async () => {
  const followed = await startAndFollow(3);
  const waits = followed.each.map(({ id }) =>
    replicas[1].call('GET', `/v1/jobs/${id}`, { headers: { prefer: 'wait=60' } }),
  );
  const lose = () =>
    here.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'perdure-listen'`,
    );
  let lost = 0;
  while (
    !(await Promise.all(followed.each.map(async (one) => (await replicas[0].job(one.id)).status))).every(
      (s) => s === 'COMPLETED',
    )
  ) {
    lost += (await lose()).rows.length;
  }
  expect(lost).toBeGreaterThan(1);
  for (const answer of await Promise.all(waits)) expect(answer.status).toBe(200);
  await expectAllTold(followed);
});
