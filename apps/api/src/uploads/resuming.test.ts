import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type Proxy, startProxy } from '../../../../tests/support/proxy.ts';
import { waitFor } from '../../../../tests/support/wait.ts';
import { createApp } from '../app.ts';
import { startApi, type TestApi } from '../testing/api.ts';
import { begun, bytesAt, tusHeaders, tusUpload } from '../testing/tus.ts';

let api: TestApi;
/** Another replica: the same database, the same storage. */
let replica: NestFastifyApplication;
let replicaUrl: string;
let replicaPort: number;
const proxies: Proxy[] = [];

beforeAll(async () => {
  api = await startApi();
  replica = await createApp(api.config);
  await replica.listen(0, '127.0.0.1');
  replicaPort = (replica.getHttpServer().address() as AddressInfo).port;
  replicaUrl = `http://127.0.0.1:${replicaPort}`;
});
afterEach(() => {
  for (const proxy of proxies.splice(0)) proxy.stop();
});
afterAll(async () => {
  await replica.close();
  await api.stop();
});

const MiB = 1024 ** 2;
const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const common = () => ({
  headers: { authorization: `Bearer ${api.adminKey}` },
  retryDelays: Array.from({ length: 50 }, () => 50),
});

async function through(port: number): Promise<Proxy> {
  const proxy = await startProxy('127.0.0.1', port);
  proxies.push(proxy);
  return proxy;
}

async function contentOf(fileId: string | undefined): Promise<string> {
  const answer = await fetch(`${api.url}/v1/files/${fileId}/content`, common());
  expect(answer.status).toBe(200);
  return sha256Of(Buffer.from(await answer.arrayBuffer()));
}

test('a client whose connection is cut again and again goes on where it was, to the last byte', async () => {
  const bytes = randomBytes(60 * MiB);
  const proxy = await through(api.port);
  let [cuts, acknowledged, cutBelow] = [0, 0, 0];
  const offsets: number[] = [];
  const { upload, ended } = tusUpload(bytes, {
    ...common(),
    endpoint: `http://127.0.0.1:${proxy.port}/v1/uploads`,
    chunkSize: 10 * MiB,
    metadata: { filename: 'cut.bin', sha256: sha256Of(bytes) },
    onChunkComplete: (_size, accepted) => void (acknowledged = accepted),
    onProgress: (sent) => {
      // In the midst of every piece but the first, once.
      if (acknowledged === 0 || sent < acknowledged + MiB || acknowledged <= cutBelow) return;
      cutBelow = acknowledged;
      cuts += 1;
      proxy.cut();
      setTimeout(() => proxy.restore(), 50);
    },
    onBeforeRequest: (request) => {
      const offset = request.getHeader('Upload-Offset');
      if (offset !== undefined) offsets.push(Number(offset));
    },
  });
  upload.start();
  const end = await ended;
  expect(end.error).toBeUndefined();
  expect(cuts).toBeGreaterThan(0);
  // It went on, and did not begin anew.
  expect(offsets.filter((offset) => offset === 0)).toHaveLength(1);
  expect(await contentOf(end.fileId)).toBe(sha256Of(bytes));
});

test('what was begun at one replica goes on at another', async () => {
  const bytes = randomBytes(30 * MiB);
  const options = { ...common(), metadata: { sha256: sha256Of(bytes) }, chunkSize: 10 * MiB };
  let url: string | null = null;
  const first = tusUpload(bytes, {
    ...options,
    endpoint: `${api.url}/v1/uploads`,
    onChunkComplete: () => {
      url ??= first.upload.url;
      void first.upload.abort();
    },
  });
  first.upload.start();
  const path = await waitFor(() => Promise.resolve(url ? new URL(url).pathname : undefined), {
    what: 'the first piece to be there',
  });
  const second = tusUpload(bytes, { ...options, uploadUrl: `${replicaUrl}${path}` });
  second.upload.start();
  const end = await second.ended;
  expect(end.error).toBeUndefined();
  expect(await contentOf(end.fileId)).toBe(sha256Of(bytes));
});

test('a client that announced other bytes is told so, once', async () => {
  let requests = 0;
  const { upload, ended } = tusUpload(randomBytes(100), {
    ...common(),
    endpoint: `${api.url}/v1/uploads`,
    metadata: { sha256: sha256Of(Buffer.from('other')) },
    onBeforeRequest: () => void (requests += 1),
  });
  upload.start();
  const end = await ended;
  expect(end.status).toBe(422);
  expect(end.error?.message).toContain('digest-mismatch');
  expect(requests).toBe(2);
});

test('of two that write at once through two replicas, one goes on, and no byte of the other is in the file', async () => {
  const size = 24 * MiB;
  const path = await begun(api, size);
  const fills = ['a', 'b', 'c', 'd'];
  const answers = await Promise.all(
    fills.map(async (fill, i) => {
      const answer = await fetch(`${i % 2 ? replicaUrl : api.url}${path}`, {
        method: 'PATCH',
        headers: { ...common().headers, ...bytesAt(0) },
        body: Buffer.alloc(size, fill),
      });
      return { fill, status: answer.status };
    }),
  );
  const winners = answers.filter(({ status }) => status === 204);
  expect(answers.filter(({ status }) => status !== 204 && status !== 409)).toEqual([]);
  const after = await api.ask(path, { method: 'HEAD', headers: tusHeaders() });
  const received = Number(after.headers.get('upload-offset'));
  // All may have been stopped by one another halfway; then somebody goes on.
  expect(winners.length).toBeLessThanOrEqual(1);
  expect(received % (8 * MiB)).toBe(0);
  expect(received).toBeGreaterThan(0);
  let fileId = after.headers.get('perdure-file');
  if (fileId === null) {
    const rest = await api.ask(path, {
      method: 'PATCH',
      raw: Buffer.alloc(size - received, 'z'),
      headers: bytesAt(received),
    });
    fileId = rest.headers.get('perdure-file');
  }
  const content = Buffer.from(
    await (await fetch(`${api.url}/v1/files/${fileId}/content`, common())).arrayBuffer(),
  );
  expect(content.length).toBe(size);
  for (let at = 0; at < size; at += 8 * MiB) {
    const part = content.subarray(at, at + 8 * MiB);
    expect(part.equals(Buffer.alloc(part.length, part[0]))).toBe(true);
  }
});

test('the last bytes sent twice at once make one file', async () => {
  const path = await begun(api, 10);
  const answers = await Promise.all(
    [api.url, replicaUrl, api.url, replicaUrl].map((url) =>
      fetch(`${url}${path}`, {
        method: 'PATCH',
        headers: { ...common().headers, ...bytesAt(0) },
        body: '0123456789',
      }),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 409, 409, 409]);
  const { fileId } = await api.db.kysely
    .selectFrom('uploads')
    .select('fileId')
    .where('id', '=', path.split('/').at(-1) ?? '')
    .executeTakeFirstOrThrow();
  const files = await api.db.kysely.selectFrom('files').select('id').where('size', '=', 10).execute();
  expect(files).toEqual([{ id: fileId }]);
});
