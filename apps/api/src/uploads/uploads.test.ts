import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { anotherTenant, startApi, type TestApi } from '../testing/api.ts';
import { begun, bytesAt, metadata, tusHeaders } from '../testing/tus.ts';

const maxBytes = 32 * 1024 ** 2;
let api: TestApi;
beforeAll(async () => void (api = await startApi({ MAX_FILE_BYTES: String(maxBytes) })));
afterAll(() => api.stop());

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const patch = (path: string, offset: number, raw: Buffer, key?: string) =>
  api.ask(path, { method: 'PATCH', raw, headers: bytesAt(offset), ...(key === undefined ? {} : { key }) });

const head = (path: string) => api.ask(path, { method: 'HEAD', headers: tusHeaders() });

async function countOf(table: 'files' | 'uploads' | 'upload_parts'): Promise<number> {
  const { rows } = await api.db.pool.query<{ n: number }>(`select count(*)::int as n from ${table}`);
  return rows[0]?.n ?? 0;
}

async function stored(): Promise<string[]> {
  const all = await readdir(api.folder, { recursive: true, withFileTypes: true });
  return all.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

test('the server says what it can do', async () => {
  const answer = await api.ask('/v1/uploads', { method: 'OPTIONS' });
  expect(answer.status).toBe(204);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'tus-version': '1.0.0',
    'tus-extension': 'creation,creation-with-upload,termination,expiration',
    'tus-max-size': String(maxBytes),
  });
});

test('an upload in pieces becomes a file at its last byte, and not before', async () => {
  const bytes = randomBytes(20 * 1024 ** 2);
  const before = await countOf('files');
  const path = await begun(api, bytes.length, {
    filename: 'größe.csv',
    filetype: 'text/csv',
    sha256: sha256Of(bytes),
  });
  const cuts = [0, 1, 9 * 1024 ** 2, 17 * 1024 ** 2, bytes.length - 1, bytes.length];
  for (const [i, to] of cuts.slice(1).entries()) {
    const from = cuts[i] ?? 0;
    expect((await head(path)).headers.get('upload-offset')).toBe(String(from));
    expect(await countOf('files')).toBe(before);
    const answer = await patch(path, from, bytes.subarray(from, to));
    expect(answer.status).toBe(204);
    expect(answer.headers.get('upload-offset')).toBe(String(to));
    expect(answer.headers.has('perdure-file')).toBe(to === bytes.length);
    expect(answer.headers.has('upload-expires')).toBe(to < bytes.length);
  }
  const end = await head(path);
  const id = String(end.headers.get('perdure-file'));
  expect(end.headers.get('content-location')).toBe(`/v1/files/${id}`);
  expect((await api.ask(`/v1/files/${id}`)).body).toMatchObject({
    name: 'größe.csv',
    mediaType: 'text/csv',
    size: bytes.length,
    sha256: sha256Of(bytes),
  });
  expect(await countOf('upload_parts')).toBe(0);
  expect((await stored()).filter((one) => one.includes('/parts/'))).toEqual([]);
  // What a client sends again whose answer was lost changes nothing.
  expect((await patch(path, bytes.length, Buffer.alloc(0))).headers.get('perdure-file')).toBe(id);
  expect((await patch(path, bytes.length - 1, bytes.subarray(-1))).status).toBe(409);
  expect(await countOf('files')).toBe(before + 1);
});

test.each([0, 1, 8 * 1024 ** 2, 8 * 1024 ** 2 + 1, 16 * 1024 ** 2])(
  'an upload of %i bytes may come with its creation',
  async (size) => {
    const bytes = randomBytes(size);
    const answer = await api.ask('/v1/uploads', {
      raw: bytes,
      headers: bytesAt(0, { 'upload-length': String(size) }),
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('upload-offset')).toBe(String(size));
    const { body } = await api.ask(`/v1/files/${answer.headers.get('perdure-file')}`);
    expect(body).toMatchObject({
      name: 'file',
      mediaType: 'application/octet-stream',
      sha256: sha256Of(bytes),
    });
    expect((await head(answer.headers.get('location') ?? '')).headers.get('perdure-file')).toBe(body['id']);
  },
);

test('bytes of another digest are refused, and nothing is left of them', async () => {
  const [files, before] = [await countOf('files'), await stored()];
  const path = await begun(api, 20, { sha256: sha256Of(Buffer.from('something else')) });
  expect((await patch(path, 0, randomBytes(12))).status).toBe(204);
  const problem = await api.problem(path, { method: 'PATCH', raw: randomBytes(8), headers: bytesAt(12) });
  expect(problem).toMatchObject({ status: 422, code: 'digest-mismatch' });
  expect(problem.headers.get('tus-resumable')).toBe('1.0.0');
  expect((await head(path)).status).toBe(404);
  expect(await countOf('files')).toBe(files);
  // The housekeeping takes the parts away.
  expect((await stored()).filter((one) => !before.includes(one) && !one.includes('/parts/'))).toEqual([]);
});

test('an upload that was given up is gone', async () => {
  const path = await begun(api, 10);
  await patch(path, 0, randomBytes(5));
  expect((await api.ask(path, { method: 'DELETE', headers: tusHeaders() })).status).toBe(204);
  expect((await head(path)).status).toBe(404);
  expect((await patch(path, 5, randomBytes(5))).status).toBe(404);
});

test.each<[string, number, string, Record<string, string>, RegExp]>([
  ['no version', 412, 'malformed-request', { 'upload-length': '1', 'tus-resumable': '' }, /Tus-Resumable/],
  ['no length', 400, 'malformed-request', {}, /Upload-Length/],
  ['a length that is none', 400, 'malformed-request', { 'upload-length': '-1' }, /upload-length/i],
  ['a deferred length', 400, 'malformed-request', { 'upload-defer-length': '1' }, /defer/i],
  ['pieces to join', 400, 'malformed-request', { 'upload-concat': 'partial', 'upload-length': '1' }, /oncat/],
  [
    'too many bytes',
    413,
    'payload-too-large',
    { 'upload-length': String(maxBytes + 1) },
    new RegExp(`${maxBytes}`),
  ],
  [
    'metadata that cannot be read',
    400,
    'malformed-request',
    { 'upload-length': '1', 'upload-metadata': 'filename !' },
    /metadata/i,
  ],
  ...[
    ['filename', '../etc/passwd'],
    ['filename', 'a\r\nb'],
    ['filetype', 'text/csv;\r\nx: y'],
    ['sha256', 'abc'],
  ].map(([key = '', value = '']): [string, number, string, Record<string, string>, RegExp] => [
    `the ${key} ${JSON.stringify(value)}`,
    422,
    'invalid-request',
    { 'upload-length': '1', 'upload-metadata': metadata({ [key]: value }) },
    new RegExp(`header/Upload-Metadata: ${key}`),
  ]),
])('an upload with %s is refused by %d', async (_what, status, code, headers, detail) => {
  const before = await countOf('uploads');
  const problem = await api.problem('/v1/uploads', { method: 'POST', headers: tusHeaders(headers) });
  expect(problem).toMatchObject({ status, code });
  expect(problem.detail).toMatch(detail);
  expect(await countOf('uploads')).toBe(before);
});

test('a piece that does not fit is refused, and the upload stays as it is', async () => {
  const path = await begun(api, 10);
  await patch(path, 0, Buffer.from('0123'));
  const asked = (headers: Record<string, string>, raw: RequestInit['body'] = 'xx') =>
    api.problem(path, { method: 'PATCH', raw, headers });
  expect(await asked(bytesAt(3))).toMatchObject({ status: 409, code: 'upload-conflict' });
  expect(await asked(bytesAt(4), 'x'.repeat(7))).toMatchObject({ status: 413, code: 'payload-too-large' });
  const chunked = ReadableStream.from([Buffer.from('456789'), Buffer.from('too much')]);
  expect(await asked(bytesAt(4), chunked)).toMatchObject({ status: 413, code: 'payload-too-large' });
  expect(await asked(tusHeaders({ 'content-type': 'application/offset+octet-stream' }))).toMatchObject({
    status: 400,
    code: 'malformed-request',
  });
  expect(await asked(bytesAt(4, { 'content-type': 'text/plain' }))).toMatchObject({ status: 400 });
  expect((await head(path)).headers.get('upload-offset')).toBe('4');
  const end = await patch(path, 4, Buffer.from('456789'));
  expect((await api.ask(`${end.headers.get('content-location')}/content`)).text).toBe('0123456789');
});

test('the upload of another tenant, or of another key, is as unknown as none at all', async () => {
  const path = await begun(api, 10);
  await patch(path, 0, Buffer.from('01234'));
  const keys = [await api.keyFor('admin', await anotherTenant(api.db)), await api.keyFor('admin')];
  for (const key of keys) {
    expect((await api.ask(path, { method: 'HEAD', headers: tusHeaders(), key })).status).toBe(404);
    expect((await patch(path, 5, Buffer.from('56789'), key)).status).toBe(404);
    expect(await api.problem(path, { method: 'DELETE', headers: tusHeaders(), key })).toMatchObject({
      status: 404,
      code: 'not-found',
    });
  }
  expect((await head(path)).headers.get('upload-offset')).toBe('5');
});

test('who may not write files may not upload, and who is unknown is told so', async () => {
  const agent = await api.keyFor('agent');
  const headers = tusHeaders({ 'upload-length': '1' });
  expect((await api.ask('/v1/uploads', { method: 'POST', headers, key: agent })).status).toBe(403);
  expect((await api.ask('/v1/uploads', { method: 'POST', headers, key: null })).status).toBe(401);
  expect((await api.ask('/v1/uploads', { method: 'OPTIONS', key: null })).status).toBe(401);
});

test('pages of other origins are told nothing, and no method stands in for another', async () => {
  const path = await begun(api, 10);
  const origin = 'https://elsewhere.example';
  const answers = [
    await api.ask('/v1/uploads', { method: 'OPTIONS', headers: { origin } }),
    await api.ask(path, { method: 'HEAD', headers: tusHeaders({ origin }) }),
    await api.ask(path, { method: 'PATCH', raw: 'x', headers: bytesAt(7, { origin }) }),
    await api.ask('/v1/uploads', {
      method: 'POST',
      headers: tusHeaders({ origin, 'x-http-method-override': 'DELETE', 'upload-length': '1' }),
    }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([204, 200, 409, 201]);
  for (const { headers } of answers)
    expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  expect((await head(path)).status).toBe(200);
  expect(await api.problem(path)).toMatchObject({ status: 405 });
});

test('an upload whose time is over is gone', async () => {
  const path = await begun(api, 10);
  await patch(path, 0, Buffer.from('01234'));
  await api.db.pool.query('update uploads set expires_at = now()');
  expect((await head(path)).status).toBe(404);
  expect((await patch(path, 5, Buffer.from('56789'))).status).toBe(404);
});
