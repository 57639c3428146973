import { expect, test } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { waitFor } from '../../../tests/support/wait.ts';
import { refusingApi } from './testing/refusing-api.ts';

const api = refusingApi();
const json = { 'content-type': 'application/json' };

test.each<[string, RequestInit['body'], Record<string, string>, number, string]>([
  ['too large', 'x'.repeat(1_001), {}, 413, 'payload-too-large'],
  [
    'of another digest',
    'hello',
    { 'content-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` },
    422,
    'digest-mismatch',
  ],
  ['of a digest that is none', 'hello', { 'repr-digest': 'sha-256=abc' }, 400, 'malformed-request'],
  [
    'with a name that is a path',
    'hello',
    { 'content-disposition': 'attachment; filename="../../x"' },
    422,
    'invalid-request',
  ],
  [
    'as a form',
    'hello',
    { 'content-type': 'multipart/form-data; boundary=x' },
    415,
    'unsupported-media-type',
  ],
  ['compressed', 'hello', { 'content-encoding': 'gzip' }, 415, 'unsupported-media-type'],
])('an upload that is %s is refused, and leaves nothing', async (_what, raw, headers, status, code) => {
  expect(await api().problem('/v1/files', { raw: raw ?? '', headers })).toMatchObject({ status, code });
});

test('a body without a length is cut off at the limit', async () => {
  const chunks = async function* () {
    for (let i = 0; i < 100; i++) yield Buffer.alloc(1_000, 'x');
  };
  for (const path of ['/v1/files', '/v1/jobs']) {
    const raw = ReadableStream.from(chunks());
    expect(await api().problem(path, { raw, headers: json })).toMatchObject({
      status: 413,
      code: 'payload-too-large',
    });
  }
});

test('a body that announces too much is refused before it comes', async () => {
  const answer = await converse(
    `POST /v1/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${api().adminKey}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(answer).toContain('payload-too-large');
});

test('an upload that is cut off leaves nothing', async () => {
  const socket = connect(api().port, '127.0.0.1');
  socket.write(
    `POST /v1/files HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${api().adminKey}\r\nContent-Length: 500\r\n\r\nonly this`,
  );
  await new Promise((resolve) => socket.once('connect', resolve));
  const writing = async (): Promise<boolean> => (await readdir(api().folder, { recursive: true })).length > 0;
  await waitFor(writing, { what: 'the upload to begin' });
  socket.destroy();
});

test.each([
  ['nonsense', 'hello\r\n\r\n', 400],
  ['huge headers', `GET /livez HTTP/1.1\r\nHost: a\r\nX-A: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['a bad length', 'POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n', 400],
])('%s on the wire is a problem too', async (_what, request, status) => {
  const answer = await converse(request);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).toContain('application/problem+json');
});

/** Sends bytes, and answers with all that comes until the first problem is whole. */
async function converse(request: string): Promise<string> {
  const socket = connect(api().port, '127.0.0.1');
  socket.write(request);
  let answer = '';
  for await (const chunk of socket) {
    answer += String(chunk);
    if (/"traceId":"\w+"\}/.test(answer)) break;
  }
  socket.destroy();
  return answer;
}
