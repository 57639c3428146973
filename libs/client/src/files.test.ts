import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Proxy, startProxy } from '../../../tests/support/proxy.ts';
import { apiWithoutWorkers } from '../../../apps/api/src/testing/api-without-workers.ts';
import { type File, Perdure, type UploadProgress } from './index.ts';
import { saveTo, uploadFrom } from './node.ts';
import { watchedFetch } from './testing/watched-fetch.ts';

const MiB = 1024 ** 2;
const api = apiWithoutWorkers();
/** Four pieces, the last of which is small. */
const bytes = new Uint8Array(randomBytes(24 * MiB + 12_345));
const sha256Of = (some: Uint8Array): string => createHash('sha256').update(some).digest('hex');
const sha256 = sha256Of(bytes);
const large = new Blob([bytes]);
let proxy: Proxy;
let folder: string;

beforeAll(async () => {
  proxy = await startProxy('127.0.0.1', api().port);
  folder = await mkdtemp(join(tmpdir(), 'perdure-files-'));
});
afterAll(async () => {
  proxy.stop();
  await rm(folder, { recursive: true });
});

/** Through a proxy that comes back once a request has failed. `noted` has a header of each request. */
function throughProxy(header = 'upload-offset') {
  const { fetch, noted } = watchedFetch(header, () => proxy.restore());
  return {
    perdure: new Perdure({ url: `http://127.0.0.1:${proxy.port}`, token: api().adminKey, fetch }),
    noted,
  };
}
const direct = () => new Perdure({ url: api().url, token: api().adminKey });

async function contentOf({ id }: File): Promise<string> {
  return sha256Of(new Uint8Array(await new Response((await direct().files.download(id)).body).arrayBuffer()));
}

const inChunks = (size: number) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });

test.each([
  ['a Blob', () => ({ content: large, size: undefined })],
  ['a stream of a known size', () => ({ content: inChunks(MiB + 1), size: bytes.length })],
])(
  '%s goes up piece by piece, on over a connection that is cut and an answer that is lost',
  async (_, make) => {
    const { content, size } = make();
    const { perdure, noted } = throughProxy();
    const told: UploadProgress[] = [];
    const file = await perdure.files.upload(content, {
      name: 'größe.bin',
      mediaType: 'image/png',
      size,
      sha256,
      onProgress(progress) {
        if (told.push(progress) === 1) proxy.loseAnswerTo('PATCH');
        if (told.length === 2) proxy.cut();
      },
    });
    expect(file).toMatchObject({ name: 'größe.bin', mediaType: 'image/png', size: bytes.length, sha256 });
    expect(await contentOf(file)).toBe(sha256);
    // The first came, though its answer was lost; the second did not.
    expect(noted.map((offset) => Number(offset) / MiB)).toEqual([0, 8, 8, 16, 24]);
    expect(told.map(({ sent }) => sent)).toEqual([0, 8 * MiB, 16 * MiB, 24 * MiB, bytes.length]);
    expect(told.every(({ total, upload }) => total === bytes.length && upload !== undefined)).toBe(true);
  },
);

test('a small file goes up in one request, and in pieces where that fails', async () => {
  const { perdure, noted } = throughProxy();
  const told: UploadProgress[] = [];
  const onProgress = (progress: UploadProgress) => void told.push(progress);
  await perdure.files.upload('a,b\n', { name: 'rows.csv', onProgress });
  expect([noted, told]).toEqual([[], [{ sent: 4, total: 4, upload: undefined }]]);
  proxy.cut();
  expect(await perdure.files.upload('a,b\n', { name: 'rows.csv' })).toMatchObject({ size: 4 });
  expect(noted).toEqual(['0']);
  proxy.cut();
  expect(await perdure.files.upload('', { name: 'empty' })).toMatchObject({ size: 0 });
});

test('an upload that was broken off is gone on with', async () => {
  const controller = new AbortController();
  let upload: string | undefined;
  const first = direct().files.upload(large, {
    name: 'large',
    signal: controller.signal,
    onProgress(progress) {
      ({ upload } = progress);
      if (progress.sent > 8 * MiB) controller.abort('enough');
    },
  });
  await expect(first).rejects.toBe('enough');
  const { perdure, noted } = throughProxy();
  expect(await contentOf(await perdure.files.upload(large, { name: 'large', resume: upload }))).toBe(sha256);
  expect(noted.map((offset) => Number(offset) / MiB)).toEqual([16, 24]);
  const again = perdure.files.upload(large, { name: 'large', resume: randomUUID() });
  await expect(again).rejects.toMatchObject({ code: 'not-found' });
});

test('other bytes than announced become no file', async () => {
  const other = { name: 'other', sha256: sha256Of(new Uint8Array(1)) };
  for (const content of ['a', large]) {
    await expect(direct().files.upload(content, other)).rejects.toMatchObject({ code: 'digest-mismatch' });
  }
});

test.each([
  [bytes.length - 1, 'more'],
  [bytes.length + 1, 'fewer'],
])('a stream that has not %i bytes but %s is refused', async (size, words) => {
  const upload = direct().files.upload(inChunks(3 * MiB), { name: 'stream', size });
  await expect(upload).rejects.toThrow(`${words} than ${size} bytes`);
});

test('a download goes on from where the connection was cut', async () => {
  const { id } = await direct().files.upload(large, { name: 'large' });
  const { perdure, noted } = throughProxy('range');
  const { body } = await perdure.files.download(id);
  const hash = createHash('sha256');
  let received = 0;
  for await (const chunk of body) {
    hash.update(chunk);
    received += chunk.length;
    if (noted.length < 2 && received > (noted.length + 1) * 8 * MiB) {
      proxy.cut();
      proxy.restore();
    }
  }
  expect(received).toBe(bytes.length);
  expect(hash.digest('hex')).toBe(sha256);
  expect(noted).toHaveLength(2);
  expect(noted[0]).toMatch(/^bytes=[1-9]\d+-$/);
});

test('a download that nobody wants any more ends', async () => {
  const { id } = await direct().files.upload(large, { name: 'large' });
  const controller = new AbortController();
  const { body } = await direct().files.download(id, { signal: controller.signal });
  const reader = body.getReader();
  await reader.read();
  controller.abort('enough');
  const readOn = async (): Promise<void> => {
    while (!(await reader.read()).done);
  };
  await expect(readOn()).rejects.toBe('enough');
});

test('a path is uploaded, and a file saved to another: whole, or not at all', async () => {
  const [from, to] = [join(folder, 'from.bin'), join(folder, 'to.bin')];
  await writeFile(from, bytes);
  const file = await uploadFrom(from, direct());
  expect(file).toMatchObject({ name: 'from.bin', sha256 });
  let received = 0;
  await saveTo(to, await direct().files.download(file.id), { onProgress: (some) => void (received = some) });
  expect(sha256Of(await readFile(to))).toBe(sha256);
  expect(received).toBe(bytes.length);

  await writeFile(to, 'before');
  const download = await direct().files.download(file.id);
  const wrong = { ...download, file: { ...file, sha256: sha256Of(new Uint8Array(1)) } };
  await expect(saveTo(to, wrong)).rejects.toThrow('Other bytes');
  const controller = new AbortController();
  const aborted = saveTo(to, await direct().files.download(file.id), {
    signal: controller.signal,
    onProgress: () => controller.abort('enough'),
  });
  await expect(aborted).rejects.toBe('enough');
  expect(await readFile(to, 'utf8')).toBe('before');
  expect(await readdir(folder)).toEqual(['from.bin', 'to.bin']);
  await expect(uploadFrom(join(folder, 'none'), direct())).rejects.toMatchObject({ code: 'ENOENT' });
});

test('signed URLs read a file, and make one, with nothing but fetch', async () => {
  const { files } = direct();
  const { id, url, method } = await files.signUpload({ name: 'a.txt', mediaType: 'text/plain', maxBytes: 5 });
  expect((await fetch(url, { method, body: 'hello' })).status).toBe(201);
  expect(await files.get(id)).toMatchObject({ name: 'a.txt', mediaType: 'text/plain', size: 5 });
  const signed = await files.sign(id, { expiresInSeconds: 60 });
  expect(await (await fetch(signed.url)).text()).toBe('hello');
});
