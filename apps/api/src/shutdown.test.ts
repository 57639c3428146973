import { expect, test } from '@jest/globals';
import type { Job } from '@perdure/job/schemas';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { waitFor } from '../../../tests/support/wait.ts';
import { startApi } from './testing/api.ts';
import { announceAll } from './testing/catalogue.ts';

test('a server that closes answers those who wait, and ends their streams', async () => {
  const api = await startApi();
  await announceAll(api.db);
  const { body: job } = await api.ask<Job>('/v1/jobs', { json: { function: 'echo' } });
  const path = `/v1/jobs/${job.id}`;
  const polls = [
    api.ask(path, { headers: { prefer: 'wait=60', 'if-none-match': '"1"' } }),
    api.ask(path, { headers: { prefer: 'wait=60' } }),
    api.ask(`${path}/logs?follow=true`),
    api.ask(`${path}/events`),
    api.ask('/v1/events'),
  ];
  const waiting = async (): Promise<boolean> =>
    (await api.ask('/metrics')).text.includes('perdure_waiters 5');
  await waitFor(waiting, { what: 'all waiters' });
  const before = performance.now();
  await Promise.all([api.stop(), ...polls]);
  expect(performance.now() - before).toBeLessThan(3_000);
  expect((await Promise.all(polls)).map(({ status }) => status)).toEqual([304, 200, 200, 200, 200]);
});

test('a server that closes lets an upload under way end, and then the connection', async () => {
  const api = await startApi();
  const rest = Promise.withResolvers<void>();
  const chunks = async function* () {
    yield Buffer.from('begun ');
    await rest.promise;
    yield Buffer.from('and ended');
  };
  const upload = api.ask('/v1/files', { raw: ReadableStream.from(chunks()) });
  const begun = async (): Promise<boolean> => (await readdir(api.folder, { recursive: true })).length > 0;
  await waitFor(begun, { what: 'the upload to begin' });
  const before = performance.now();
  const stopped = api.stop();
  await waitFor(() => !api.app.getHttpServer().listening, { what: 'the server to close' });
  rest.resolve();
  expect(await upload).toMatchObject({ status: 201, body: { size: 15 } });
  await stopped;
  expect(performance.now() - before).toBeLessThan(3_000);
});

test('a server that closes does not wait for connections on which nothing was sent', async () => {
  const api = await startApi();
  const silent = connect(api.port, '127.0.0.1');
  const open = async (): Promise<boolean> =>
    new Promise((resolve) => {
      api.app.getHttpServer().getConnections((_error: unknown, count: number) => resolve(count > 0));
    });
  await waitFor(open, { what: 'the connection' });
  const closed = once(silent, 'close');
  await api.stop();
  await closed;
});
