import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { File, SignedUrl } from '@perdure/job/schemas';
import { waitFor } from '../../../../tests/support/wait.ts';
import { anotherTenant, startApi, type TestApi } from '../testing/api.ts';

let api: TestApi;
let file: File;
beforeAll(async () => {
  api = await startApi({ MAX_SIGNED_URL_SECONDS: '3600', MAX_FILE_BYTES: '1000' });
  const headers = { 'content-type': 'text/csv' };
  file = File.parse((await api.ask('/v1/files?name=a.csv', { raw: '0123456789', headers })).body);
});
afterAll(() => api.stop());

async function signed(path: string, json: object = {}, key = api.adminKey): Promise<SignedUrl> {
  const answer = await api.ask(path, { json, key });
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
  return SignedUrl.parse(answer.body);
}
const toRead = (json?: object, key?: string) => signed(`/v1/files/${file.id}:sign`, json, key);
const toWrite = (json: object = {}, key?: string) =>
  signed('/v1/files:signUpload', { name: 'b.csv', ...json }, key);

const refused = async (url: string, method = 'GET', raw?: string): Promise<void> => {
  const problem = await api.problem(url, { key: null, method, ...(raw === undefined ? {} : { raw }) });
  expect([problem.status, problem.code]).toEqual([403, 'signed-url-refused']);
};

test('a signed URL serves the bytes without a key, as the plain one does with it', async () => {
  const { url, method, id, expiresAt } = await toRead();
  expect([method, id]).toEqual(['GET', file.id]);
  const lifeMs = Date.parse(expiresAt) - Date.now();
  expect(lifeMs).toBeGreaterThan(890_000);
  expect(lifeMs).toBeLessThanOrEqual(900_000);
  const [plain, without] = [await api.ask(file.links.content), await api.ask(url, { key: null })];
  expect(without).toMatchObject({ status: 200, text: '0123456789' });
  for (const name of [
    'etag',
    'content-disposition',
    'content-type',
    'content-security-policy',
    'x-content-type-options',
  ])
    expect([name, without.headers.get(name)]).toEqual([name, plain.headers.get(name)]);
  const part = await api.ask(url, { key: null, headers: { range: 'bytes=2-4' } });
  expect(part).toMatchObject({ status: 206, text: '234' });
  expect((await api.ask(url, { key: null, method: 'HEAD' })).status).toBe(200);
  const headers = { 'if-none-match': without.headers.get('etag') ?? '' };
  expect((await api.ask(url, { key: null, headers })).status).toBe(304);
});

test('without a signature, or on another operation, there is no way in', async () => {
  const { url } = await toRead();
  const query = url.slice(url.indexOf('?'));
  for (const path of [file.links.content, `${file.links.self}${query}`, `/v1/me${query}`])
    expect((await api.problem(path, { key: null })).status).toBe(401);
});

test('what is changed of a signed URL is refused', async () => {
  const { url } = await toRead();
  const at = url.indexOf('=') + 1;
  const signature = url.slice(at);
  const bytes = Buffer.from(signature, 'base64url');
  const flipped = (place: number) => {
    const other = Buffer.from(bytes);
    other[place] = ~(other[place] ?? 0);
    return other.toString('base64url');
  };
  for (const wrong of [
    ...[0, 12, 28, bytes.length - 1].map(flipped),
    bytes.subarray(0, 28).toString('base64url'),
    signature.slice(0, -4),
    '',
    `${signature}AAAA`,
    `${signature}=`,
  ])
    await refused(`${url.slice(0, at)}${wrong}`);
  await refused(`${url}&signature=${signature}`);
});

test('a valid key does not save a signature that is wrong', async () => {
  expect((await api.problem(`${file.links.content}?signature=x.y`)).code).toBe('signed-url-refused');
});

test('it is for this file, and for no other', async () => {
  const { url } = await toRead();
  const other = File.parse((await api.ask('/v1/files', { raw: 'other' })).body);
  await refused(url.replace(file.id, other.id));
});

test('it is for its method', async () => {
  const [read, write] = [await toRead(), await toWrite()];
  await refused(read.url, 'PUT', 'bytes');
  await refused(write.url);
  expect((await api.problem(read.url, { key: null, method: 'DELETE' })).status).toBe(405);
});

test('it works for as long as was asked for', async () => {
  const { url } = await toRead({ expiresInSeconds: 1 });
  const over = async () => (await api.ask(url, { key: null })).status === 403;
  await waitFor(over, { what: 'the URL to expire', timeoutMs: 2_500 });
  await refused(url);
  const problem = await api.problem(`/v1/files/${file.id}:sign`, { json: { expiresInSeconds: 3_601 } });
  expect(problem).toMatchObject({ status: 422, errors: [{ pointer: '/expiresInSeconds' }] });
});

test('it ends with the key that it was made with', async () => {
  const made = await api.ask('/v1/keys', { json: { name: 'signs' } });
  const { url } = await toRead({}, String(made.body['key']));
  expect((await api.ask(url, { key: null })).status).toBe(200);
  await api.ask(`/v1/keys/${String(made.body['id'])}`, { method: 'DELETE' });
  const over = async () => (await api.ask(url, { key: null })).status === 403;
  await waitFor(over, { what: 'the URL to end with its key', timeoutMs: 1_500 });
});

test('nobody signs what is not theirs, and a file of another tenant is as unknown as none', async () => {
  const foreign = await api.keyFor('admin', await anotherTenant(api.db));
  const nobody = '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70';
  const [theirs, none] = await Promise.all(
    [file.id, nobody].map((id) => api.problem(`/v1/files/${id}:sign`, { method: 'POST', key: foreign })),
  );
  expect(theirs).toMatchObject({ status: 404, detail: none?.detail });
  const agent = await api.keyFor('agent');
  expect((await api.problem(`/v1/files/${file.id}:sign`, { method: 'POST', key: agent })).status).toBe(404);
});

test('a signed URL takes the bytes of one new file, once', async () => {
  const member = await api.keyFor('member');
  const { url, id, method } = await toWrite({ name: 'größe.csv', mediaType: 'text/csv' }, member);
  expect(method).toBe('PUT');
  const headers = { 'content-type': 'text/html', 'content-disposition': 'attachment; filename="evil.html"' };
  const put = await api.ask(url, { key: null, method: 'PUT', raw: 'a,b', headers });
  expect([put.status, put.headers.get('location')]).toEqual([201, `/v1/files/${id}`]);
  expect(put.body).toMatchObject({ id, name: 'größe.csv', mediaType: 'text/csv', size: 3 });
  expect((await api.ask(`/v1/files/${id}`, { key: member })).body).toEqual(put.body);
  const again = await api.problem(url, { key: null, method: 'PUT', raw: 'c,d' });
  expect([again.status, again.code]).toEqual([409, 'id-taken']);
  expect((await api.ask(`/v1/files/${id}/content`)).text).toBe('a,b');
});

test('of many who use it at once, one makes the file', async () => {
  const { url } = await toWrite();
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, at) => api.ask(url, { key: null, method: 'PUT', raw: `bytes ${at}` })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(7).fill(409)]);
});

test('it takes no more bytes than it says, nor than any file may have', async () => {
  const few = await toWrite({ maxBytes: 4 });
  const much = await toWrite({ maxBytes: 2_000 });
  const put = (url: string, bytes: number) =>
    api.ask(url, { key: null, method: 'PUT', raw: ReadableStream.from([Buffer.alloc(bytes, 'x')]) });
  expect((await put(few.url, 5)).status).toBe(413);
  expect((await put(much.url, 1_001)).status).toBe(413);
  expect((await put(few.url, 4)).status).toBe(201);
});

test('what breaks its digest makes no file, and may be tried again', async () => {
  const { url } = await toWrite();
  const headers = { 'content-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` };
  expect((await api.problem(url, { key: null, method: 'PUT', raw: 'a', headers })).code).toBe(
    'digest-mismatch',
  );
  expect((await api.ask(url, { key: null, method: 'PUT', raw: 'a' })).status).toBe(201);
});

test('a key alone uploads nothing there', async () => {
  const problem = await api.problem(file.links.content, { method: 'PUT', raw: 'a' });
  expect([problem.status, problem.code]).toEqual([422, 'invalid-request']);
});

test('bad names and types are refused before there is a URL', async () => {
  for (const json of [{ name: '../a' }, { name: 'a\r\nb' }, { name: 'a', mediaType: 'text/html\r\nx: y' }])
    expect((await api.problem('/v1/files:signUpload', { json })).status).toBe(422);
});

test('who signed with a token of the identity provider is looked up: disabled, it is over', async () => {
  const { SignedUrls } = await import('../access/signed-urls.ts');
  const user = await api.userWith('operator', defaultTenantId);
  const caller = { tenantId: defaultTenantId, keyId: null, userId: user.id };
  const until = new Date(Date.now() + 60_000);
  const principal = {
    ...caller,
    id: user.id,
    agentId: null,
    name: '',
    role: 'operator',
    expiresAt: null,
  } as const;
  const url = api.app.get(SignedUrls).sign(principal, { method: 'GET', path: file.links.content, until });
  expect((await api.ask(url, { key: null })).status).toBe(200);
  await api.ask(`/v1/users/${user.id}`, { method: 'PATCH', json: { disabled: true } });
  await refused(url);
});
