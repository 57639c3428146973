import { expect, test } from '@jest/globals';
import { Perdure, PerdureProblem, PerdureUnreachable } from './index.ts';
import { json, oddServer, problem } from './testing/odd-server.ts';

const token = 'pk_test';
const unavailable = problem(503, 'unavailable', { 'retry-after': '0' });

test.each([429, 502, 503, 504])('what is read is asked for again after a %i', async (status) => {
  await using server = await oddServer(
    (response) => void response.writeHead(status).end('<p>busy</p>'),
    json({ keyId: 'k' }),
  );
  expect(await new Perdure({ url: server.url, token }).me()).toEqual({ keyId: 'k' });
  expect(server.asked).toHaveLength(2);
});

test('a connection that breaks off in the middle of an answer is no answer', async () => {
  await using server = await oddServer(
    (response) =>
      void response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy()),
    json({ keyId: 'k' }),
  );
  expect(await new Perdure({ url: server.url, token }).me()).toEqual({ keyId: 'k' });
});

test('what cannot be repeated without harm is tried once', async () => {
  await using server = await oddServer(unavailable);
  const perdure = new Perdure({ url: server.url, token });
  await expect(perdure.keys.create({ name: 'k' })).rejects.toMatchObject({ code: 'unavailable' });
  await expect(perdure.reassign('j', { anyone: true })).rejects.toMatchObject({ code: 'unavailable' });
  const unmeasured = perdure.files.upload(new Blob(['bytes']).stream(), { name: 'f' });
  await expect(unmeasured).rejects.toMatchObject({ code: 'unavailable' });
  await expect(perdure.cancel('j', { ifMatch: '"1"' })).rejects.toMatchObject({ code: 'unavailable' });
  expect(server.asked).toHaveLength(4);
});

test('a submit is repeated with the same idempotency key, and each submit has another', async () => {
  await using server = await oddServer(unavailable, problem(409, 'request-in-flight'), json({ id: 'j' }));
  const perdure = new Perdure({ url: server.url, token });
  await perdure.submit({ function: 'echo' });
  await perdure.submit({ function: 'echo' });
  const keys = server.asked.map(({ headers }) => headers['idempotency-key']);
  expect(keys).toHaveLength(4);
  expect(new Set(keys.slice(0, 3)).size).toBe(1);
  expect(keys[3]).not.toBe(keys[0]);
});

test('a refusal is final', async () => {
  await using server = await oddServer(problem(422, 'invalid-request'));
  const asked = new Perdure({ url: server.url, token }).get('j');
  await expect(asked).rejects.toBeInstanceOf(PerdureProblem);
  expect(server.asked).toHaveLength(1);
});

test('tries end after so many retries, or at once when the server asks for more patience than there is', async () => {
  await using server = await oddServer(unavailable);
  await expect(new Perdure({ url: server.url, token, retries: 2 }).me()).rejects.toMatchObject({
    status: 503,
  });
  expect(server.asked).toHaveLength(3);

  await using slow = await oddServer(problem(429, 'too-many-streams', { 'retry-after': '86400' }));
  await expect(new Perdure({ url: slow.url, token }).me()).rejects.toMatchObject({
    retryAfterSeconds: 86_400,
  });
  expect(slow.asked).toHaveLength(1);
});

test('where nothing listens, the error says so and keeps its cause', async () => {
  const gone = await oddServer(unavailable);
  await gone[Symbol.asyncDispose]();
  const error = await new Perdure({ url: gone.url, token, retries: 1 })
    .me()
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(PerdureUnreachable);
  expect(error).toMatchObject({ message: expect.stringContaining('ECONNREFUSED'), cause: expect.anything() });
});

test('what another server answers is not taken for Perdure', async () => {
  await using server = await oddServer(
    (response) => void response.writeHead(404).end('no such page'),
    (response) => void response.writeHead(200).end('<html>'),
  );
  const perdure = new Perdure({ url: server.url, token });
  for (const status of [404, 200]) {
    const error = await perdure.me().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(PerdureUnreachable);
    expect(error).toMatchObject({ status });
  }
  expect(server.asked).toHaveLength(2);
});

test.each([
  ['url', { url: 'not a url', token }],
  ['token', { url: 'http://127.0.0.1', token: 'a\nb' }],
])('a %s that cannot be used is refused at once', (_, options) => {
  expect(() => new Perdure(options)).toThrow();
});

test('an abort ends the pause before the next try, with the reason that was given', async () => {
  const controller = new AbortController();
  await using server = await oddServer((response) => {
    problem(503, 'unavailable', { 'retry-after': '50' })(response);
    setImmediate(() => controller.abort('enough'));
  });
  const asked = new Perdure({ url: server.url, token }).me({ signal: controller.signal });
  await expect(asked).rejects.toBe('enough');
  expect(server.asked).toHaveLength(1);
});

test('an abort ends a request that is never answered, and streams', async () => {
  await using server = await oddServer((response, { url }) => {
    if (url?.includes('/events')) response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (url?.includes('/logs')) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
  });
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  const perdure = new Perdure({ url: server.url, token });
  const reason = new Error('enough');
  const aborted = async (ask: (signal: AbortSignal) => Promise<unknown>): Promise<void> => {
    const controller = new AbortController();
    const count = server.asked.length;
    const asked = ask(controller.signal);
    while (server.asked.length === count) await new Promise(setImmediate);
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
  };
  await aborted((signal) => perdure.get('j', { signal }));
  await aborted((signal) => perdure.wait('j', { signal }));
  await aborted((signal) => perdure.submit({ function: 'echo' }, { signal }));
  await aborted((signal) => perdure.result('j', { signal }));
  await aborted((signal) => perdure.events('j', { signal }).next());
  await aborted((signal) => perdure.allEvents({ signal }).next());
  await aborted((signal) => perdure.files.upload('bytes', { name: 'f', signal }));
  await aborted((signal) => perdure.files.upload('bytes', { name: 'f', resume: 'u', signal }));
  await aborted((signal) => perdure.submitMany([{ function: 'echo' }], { signal }).next());
  await aborted((signal) => perdure.logs('j', { follow: true, signal }).next());
  await expect(perdure.get('j', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await new Promise(setImmediate);
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});
