import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { File } from '@perdure/job/schemas';
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { anotherTenant, startApi, type TestApi } from '../testing/api.ts';

let api: TestApi;
beforeAll(async () => void (api = await startApi()));
afterAll(() => api.stop());

const bytes = Buffer.from('0123456789');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const digest = `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`;

async function uploaded(
  raw: RequestInit['body'] = bytes,
  headers: Record<string, string> = {},
  query = '',
): Promise<File> {
  const answer = await api.ask(`/v1/files${query}`, { raw, headers });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('location')).toBe(`/v1/files/${String(answer.body['id'])}`);
  return File.parse(answer.body);
}

const content = (file: File, headers: Record<string, string> = {}, method = 'GET') =>
  api.ask(file.links.content, { headers, method });

test('an upload becomes a file', async () => {
  const file = await uploaded(
    bytes,
    { 'content-type': 'text/csv', 'content-digest': digest },
    '?name=a%20b.csv',
  );
  expect(file).toMatchObject({ name: 'a b.csv', mediaType: 'text/csv', size: 10, sha256 });
  expect((await api.ask(file.links.self)).body).toEqual(file);
});

test('the bytes come back as an attachment that no browser runs', async () => {
  const file = await uploaded(bytes, { 'content-type': 'text/html' }, '?name=gr%C3%B6%C3%9Fe.html');
  const answer = await content(file);
  expect(answer).toMatchObject({ status: 200, text: '0123456789' });
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    etag: `"${sha256}"`,
    'repr-digest': digest,
    'accept-ranges': 'bytes',
    'content-length': '10',
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="gro__e.html"; filename*=UTF-8''gr%C3%B6%C3%9Fe.html`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'",
  });
});

test.each<[string, Record<string, string>, number, string, string | null]>([
  ['a range', { range: 'bytes=2-4' }, 206, '234', 'bytes 2-4/10'],
  ['the end', { range: 'bytes=-2' }, 206, '89', 'bytes 8-9/10'],
  ['the rest', { range: 'bytes=8-' }, 206, '89', 'bytes 8-9/10'],
  ['a range too long', { range: 'bytes=8-100' }, 206, '89', 'bytes 8-9/10'],
  ['several ranges', { range: 'bytes=0-1,3-4' }, 200, '0123456789', null],
  ['another unit', { range: 'lines=0-1' }, 200, '0123456789', null],
  ['a range of these bytes', { range: 'bytes=0-1', 'if-range': `"${sha256}"` }, 206, '01', 'bytes 0-1/10'],
  ['a range of other bytes', { range: 'bytes=0-1', 'if-range': '"other"' }, 200, '0123456789', null],
  [
    'a range by date',
    { range: 'bytes=0-1', 'if-range': 'Sun, 22 Nov 2026 05:00:00 GMT' },
    200,
    '0123456789',
    null,
  ],
  [
    'a range of weakly the same',
    { range: 'bytes=0-1', 'if-range': `W/"${sha256}"` },
    200,
    '0123456789',
    null,
  ],
  ['what is known of several', { 'if-none-match': `"other", "${sha256}"` }, 304, '', null],
  ['whatever is known', { 'if-none-match': '*' }, 304, '', null],
  ['what is known', { 'if-none-match': `"${sha256}"` }, 304, '', null],
  ['what is known weakly', { 'if-none-match': `W/"${sha256}"`, range: 'bytes=0-1' }, 304, '', null],
  ['what is not known', { 'if-none-match': '"other"' }, 200, '0123456789', null],
])('asked for %s it answers %j by %d', async (_what, headers, status, text, contentRange) => {
  const answer = await content(await uploaded(), headers);
  expect(answer).toMatchObject({ status, text });
  expect(answer.headers.get('content-range')).toBe(contentRange);
});

test('a range outside is 416 and tells the size', async () => {
  const file = await uploaded();
  const problem = await api.problem(file.links.content, { headers: { range: 'bytes=10-' } });
  expect(problem).toMatchObject({ status: 416, code: 'range-not-satisfiable' });
  expect(problem.headers.get('content-range')).toBe('bytes */10');
  expect(problem.headers.get('etag')).toBeNull();
});

test('HEAD says what GET would', async () => {
  const file = await uploaded();
  const whole = await content(file, {}, 'HEAD');
  expect(whole).toMatchObject({ status: 200, text: '' });
  expect(whole.headers.get('content-length')).toBe('10');
  const part = await content(file, { range: 'bytes=0-3' }, 'HEAD');
  expect(part.status).toBe(206);
  expect(part.headers.get('content-length')).toBe('4');
  expect(part.headers.get('content-range')).toBe('bytes 0-3/10');
  expect((await content(file, { 'if-none-match': `"${sha256}"` }, 'HEAD')).status).toBe(304);
  expect((await content(file, { range: 'bytes=10-' }, 'HEAD')).status).toBe(416);
});

test.each([
  'a"; filename=evil.exe; x="',
  "'; rm -rf ~ #",
  '%0d%0aset-cookie: a=b',
  '文件 🎉.csv',
  'ﬁle\u202egpj.exe',
])('the name %j goes out as an attachment, and comes back as it was', async (name) => {
  const file = await uploaded(bytes, {}, `?name=${encodeURIComponent(name)}`);
  expect(file.name).toBe(name);
  const { headers } = await content(file);
  const disposition = headers.get('content-disposition') ?? '';
  const [, plain, extended = ''] =
    /^attachment; filename="([ !#-[\]-~]*)"; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]*)$/.exec(
      disposition,
    ) ?? [];
  expect(plain).toBeDefined();
  expect(decodeURIComponent(extended)).toBe(name);
  expect(headers.get('set-cookie')).toBeNull();
});

test('an empty file is a file', async () => {
  const file = await uploaded('');
  expect(file.size).toBe(0);
  const answer = await content(file);
  expect(answer).toMatchObject({ status: 200, text: '' });
  expect(answer.headers.get('content-length')).toBe('0');
});

test('JSON and everything else is bytes here', async () => {
  const file = await uploaded('{"a":', { 'content-type': 'application/json' });
  expect(await content(file)).toMatchObject({ status: 200, text: '{"a":' });
});

test('a large upload streams through, chunked', async () => {
  const chunk = randomBytes(64 * 1024);
  const chunks = async function* () {
    for (let i = 0; i < 256; i++) yield chunk;
  };
  const file = await uploaded(ReadableStream.from(chunks()));
  expect(file.size).toBe(16 * 1024 ** 2);
  const head = await content(file, { range: `bytes=${64 * 1024}-${64 * 1024 + 3}` });
  expect(head.status).toBe(206);
  expect(head.headers.get('content-length')).toBe('4');
});

test('the same bytes are stored once', async () => {
  const raw = randomBytes(100);
  const before = (await readdir(api.folder, { recursive: true, withFileTypes: true })).filter((one) =>
    one.isFile(),
  ).length;
  const [one, other] = [await uploaded(raw), await uploaded(raw)];
  expect(one.id).not.toBe(other.id);
  const after = (await readdir(api.folder, { recursive: true, withFileTypes: true })).filter((file) =>
    file.isFile(),
  ).length;
  expect(after - before).toBe(1);
});

test('a file of another tenant is as unknown as none at all', async () => {
  const file = await uploaded();
  const key = await api.keyFor('admin', await anotherTenant(api.db));
  const nobody = '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70';
  for (const path of ['', '/content']) {
    const [foreign, none] = await Promise.all(
      [file.id, nobody].map((id) => api.problem(`/v1/files/${id}${path}`, { key })),
    );
    expect(foreign).toMatchObject({ status: 404, detail: none?.detail, title: none?.title });
  }
});
