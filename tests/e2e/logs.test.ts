import { expect } from '@jest/globals';
import { type LogLine } from '@perdure/job/schemas';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { megabytesOf } from '../support/alive.ts';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import { sharedServers } from './support/servers.ts';

const count = 1_000_000;
const filling = 'x'.repeat(200);

let here: House;
let api: Api;
let path: string;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  // The agent only brings the function: the job is to stay as it is.
  [api] = await Promise.all([
    here.startApi({
      STREAM_STALL_SECONDS: '1',
      MAX_STREAMS_PER_KEY: '1',
      // Left alone, the engine collects late.
      NODE_OPTIONS: '--max-old-space-size=120',
    }),
    here.startAgent(),
  ]);
  const { id } = await api.submit({ function: 'echo' });
  path = `/v1/jobs/${id}/logs`;
  await here.query(
    `insert into job_logs (tenant_id, job_id, at, attempt, stream, level, text)
     select tenant_id, id, now() + n * interval '1 microsecond', 1, 'log', 'info', repeat('x', 200) || n
     from jobs, generate_series(1, ${count}) as n where id = $1`,
    [id],
  );
});

scenario('a million lines are read whole and in order, and the API holds little of them', async () => {
  const idle = await megabytesOf(api.program().pid);
  const answer = await api.call('GET', path, { headers: { accept: 'application/x-ndjson' } });
  expect(answer.status).toBe(200);
  let most = 0;
  let last: LogLine | undefined;
  let lines = 0;
  for await (const text of createInterface(Readable.fromWeb(answer.body as ReadableStream))) {
    const line = JSON.parse(text) as LogLine;
    lines++;
    if (line.text !== `${filling}${lines}` || (last && line.at <= last.at))
      throw new Error(`after ${last?.text}: ${text}`);
    last = line;
    if (lines % 50_000 === 0) most = Math.max(most, await megabytesOf(api.program().pid));
  }
  expect(lines).toBe(count);
  // All of them are 300 MB as they are sent, and more as objects.
  expect(most - idle).toBeLessThan(280);
});

scenario('a client that takes nothing of a stream is dropped', async () => {
  const { hostname, port } = new URL(api.url);
  const client = connect(Number(port), hostname);
  client.write(
    `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${api.key}\r\naccept: text/plain\r\n\r\n`,
  );
  client.on('error', () => {});
  await once(client, 'readable');
  const another = async () =>
    (await api.call('GET', `${path}?limit=1`, { headers: { accept: 'text/plain' } })).status;
  expect(await another()).toBe(429);
  await waitFor(async () => (await another()) === 200, { what: 'the client to be dropped' });
  // What the kernel kept for it still comes, and is not the whole log.
  let bytes = 0;
  client.on('data', (chunk) => (bytes += chunk.length));
  await once(client, 'close');
  expect(bytes).toBeLessThan(count * 200);
});
