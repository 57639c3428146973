import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { waitFor } from '../../../../tests/support/wait.ts';
import { dropWhenStalled } from './stalled.ts';

const stallMs = 300;
let server: Server;
afterEach(() => void server.close());

async function open(body: (response: ServerResponse) => void): Promise<Socket> {
  server = createServer((_request, response) => {
    dropWhenStalled(response, stallMs);
    body(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  return client;
}

const endless = (response: ServerResponse, sent: { bytes: number }) =>
  Readable.from(
    (function* () {
      for (;;) {
        sent.bytes += 65_536;
        yield Buffer.alloc(65_536);
      }
    })(),
    { highWaterMark: 1 },
  ).pipe(response);

test('a client that takes nothing is dropped, and little is kept for it', async () => {
  const sent = { bytes: 0 };
  let dropped = false;
  const client = await open((response) => {
    response.on('close', () => (dropped = true));
    endless(response, sent);
  });
  client.pause();
  await waitFor(() => dropped, { what: 'the connection to be dropped' });
  // What the kernel buffers on both sides of the loopback.
  expect(sent.bytes).toBeLessThan(50_000_000);
  client.destroy();
});

test('a client that is slow is served on', async () => {
  const sent = { bytes: 0 };
  let dropped = false;
  const client = await open((response) => {
    response.on('close', () => (dropped = true));
    endless(response, sent);
  });
  let taken = 0;
  client.on('data', (chunk) => {
    taken += chunk.length;
    client.pause();
    setTimeout(() => client.resume(), stallMs / 20);
  });
  const began = performance.now();
  await waitFor(() => performance.now() - began > 4 * stallMs, { what: 'some time' });
  expect(dropped).toBe(false);
  expect(taken).toBeGreaterThan(0);
  client.destroy();
});

test('a client for which nothing comes is left alone', async () => {
  let written: ServerResponse | undefined;
  const client = await open((response) => {
    written = response;
    response.write('first\n');
  });
  let text = '';
  client.on('data', (chunk) => (text += chunk.toString()));
  const began = performance.now();
  await waitFor(() => performance.now() - began > 4 * stallMs, { what: 'some time' });
  written?.end('last\n');
  await waitFor(() => text.includes('last'), { what: 'the rest' });
  client.destroy();
});
