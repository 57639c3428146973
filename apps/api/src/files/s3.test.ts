import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { type Moto, startMoto } from '../../../../libs/storage/src/testing/moto.ts';
import { startApi, type TestApi } from '../testing/api.ts';
import { begun, bytesAt } from '../testing/tus.ts';

let moto: Moto;
let api: TestApi;
beforeAll(async () => {
  moto = await startMoto();
  await fetch(`${moto.endpoint}/files`, { method: 'PUT' });
  api = await startApi({
    STORAGE_URL: `s3://files/?endpoint=${encodeURIComponent(moto.endpoint)}&forcePathStyle=true`,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
});
afterAll(async () => {
  await api.stop();
  await moto.stop();
});

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function keys(): Promise<string[]> {
  const answer = await fetch(`${moto.endpoint}/files?list-type=2`);
  return [...(await answer.text()).matchAll(/<Key>([^<]*)</g)].map(([, key = '']) => key);
}

test('a file in S3 is read whole, in part, and not again', async () => {
  const { body } = await api.ask('/v1/files', { raw: '0123456789' });
  const path = `/v1/files/${String(body['id'])}/content`;
  const etag = `"${sha256Of(Buffer.from('0123456789'))}"`;
  expect(await api.ask(path)).toMatchObject({ status: 200, text: '0123456789' });
  const part = await api.ask(path, { headers: { range: 'bytes=-3', 'if-range': etag } });
  expect(part).toMatchObject({ status: 206, text: '789' });
  expect(part.headers.get('content-range')).toBe('bytes 7-9/10');
  expect((await api.ask(path, { headers: { 'if-none-match': etag } })).status).toBe(304);
  expect((await api.problem(path, { headers: { range: 'bytes=10-' } })).status).toBe(416);
});

test('an upload in pieces becomes an object in S3, and leaves no part behind', async () => {
  const bytes = randomBytes(20 * 1024 ** 2);
  const path = await begun(api, bytes.length, { sha256: sha256Of(bytes) });
  const cuts = [0, 100, 18 * 1024 ** 2, bytes.length];
  let fileId: string | null = null;
  for (const [i, to] of cuts.slice(1).entries()) {
    const from = cuts[i] ?? 0;
    const answer = await api.ask(path, {
      method: 'PATCH',
      raw: bytes.subarray(from, to),
      headers: bytesAt(from),
    });
    expect(answer.status).toBe(204);
    fileId = answer.headers.get('perdure-file');
  }
  const content = await fetch(`${api.url}/v1/files/${fileId}/content`, {
    headers: { authorization: `Bearer ${api.adminKey}` },
  });
  expect(sha256Of(Buffer.from(await content.arrayBuffer()))).toBe(sha256Of(bytes));
  const all = await keys();
  expect(all).toContain(`objects/${sha256Of(bytes)}`);
  expect(all.filter((key) => !key.startsWith('objects/'))).toEqual([]);
});
