import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SignedUrl } from '@perdure/job/schemas';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { startApi, type TestApi } from '../testing/api.ts';
import { begun, bytesAt } from '../testing/tus.ts';

let api: TestApi;
beforeAll(async () => void (api = await startApi()));
afterAll(() => api.stop());

type Tried = { status: number; id: string | undefined };

/** Every way in which a name comes in. */
const ways: Record<string, (name: string) => Promise<Tried>> = {
  '?name=': async (name) => tried(await api.ask(`/v1/files?name=${encodeURIComponent(name)}`, { raw: 'x' })),
  'filename*=': async (name) =>
    tried(
      await api.ask('/v1/files', {
        raw: 'x',
        headers: { 'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}` },
      }),
    ),
  'filename="…"': async (name) =>
    tried(
      await api.ask('/v1/files', {
        raw: 'x',
        headers: {
          'content-disposition': `attachment; filename="${Buffer.from(name.replaceAll(/["\\]/g, '\\$&')).toString('latin1')}"`,
        },
      }),
    ),
  tus: async (name) => {
    const path = await begun(api, 1, { filename: name }).catch(() => undefined);
    if (path === undefined) return { status: 422, id: undefined };
    const { status, headers } = await api.ask(path, { method: 'PATCH', raw: 'x', headers: bytesAt(0) });
    return { status: status === 204 ? 201 : status, id: headers.get('perdure-file') ?? undefined };
  },
  'a signed URL': async (name) => {
    const { status, body } = await api.ask('/v1/files:signUpload', { json: { name } });
    if (status !== 200) return { status, id: undefined };
    return tried(await api.ask(SignedUrl.parse(body).url, { method: 'PUT', key: null, raw: 'x' }));
  },
};

function tried({ status, body }: { status: number; body: Record<string, unknown> }): Tried {
  return { status, id: typeof body['id'] === 'string' ? body['id'] : undefined };
}

const refusedNames = [
  '../../etc/passwd',
  '..\\..\\boot.ini',
  '/etc/passwd',
  'C:\\Windows\\win.ini',
  '\\\\host\\share',
  '.',
  '..',
  'a\u0000.csv',
  'a\r\nset-cookie: b=c',
  'a\u007f',
  'x'.repeat(300),
];

/** Names that mean something elsewhere, and nothing here. */
const keptNames = [
  '%2e%2e%2f',
  '%252e%252e%252fpasswd',
  '..%c0%af',
  'CON',
  'LPT1.txt',
  'trailing.',
  ' spaces ',
  '-rf',
  '~root',
  '$(id)`id`',
  '<script>alert(1).html',
  'photo\u202egpj.exe',
  'u\u0308ber.csv',
  '\u00fcber.csv',
  'zero\u200bwidth',
  'line\u2028separator',
  '"; filename=evil.exe; x="',
];

/** Control characters cannot stand in a header as they are. */
const sendable = (way: string, name: string): boolean =>
  way !== 'filename="…"' || ![...name].some((one) => one < ' ' || one === '\u007f');

for (const [way, upload] of Object.entries(ways)) {
  test.each(refusedNames.filter((name) => sendable(way, name)))(`by ${way}, %j is refused`, async (name) => {
    expect(await upload(name)).toEqual({ status: 422, id: undefined });
  });

  test.each(keptNames)(`by ${way}, %j stays what it is, and is no path and no header`, async (name) => {
    const { status, id } = await upload(name);
    expect(status).toBe(201);
    // Spaces around a value of a header are not part of it, but within quotes they are.
    expect((await api.ask(`/v1/files/${id}`)).body).toMatchObject({ name });
    const { headers, text } = await api.ask(`/v1/files/${id}/content`);
    expect(text).toBe('x');
    const disposition = headers.get('content-disposition') ?? '';
    const form = /^attachment; filename="[ !#-[\]-~]*"; filename\*=UTF-8''([\w!#$&+.^`|~%-]+)$/;
    expect(decodeURIComponent(form.exec(disposition)?.[1] ?? '')).toBe(name);
    expect(headers.get('set-cookie')).toBeNull();
  });
}

test('a name that is encoded once in the URL is decoded once', async () => {
  expect((await api.problem('/v1/files?name=%2e%2e%2fpasswd', { raw: 'x' })).code).toBe('invalid-request');
  const twice = await api.ask('/v1/files?name=%252e%252e%252fpasswd', { raw: 'x' });
  expect(twice.body).toMatchObject({ name: '%2e%2e%2fpasswd' });
});

test('no name has become a path: storage knows digests alone', async () => {
  for (const name of keptNames) await ways['?name=']?.(name);
  const entries = await readdir(api.folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((one) => one.isFile());
  expect(files.length).toBeGreaterThan(0);
  for (const { name, parentPath } of files) {
    expect(name).toMatch(/^[0-9a-f]{64}$/);
    expect(dirname(dirname(parentPath))).toBe(`${api.folder}/objects`);
  }
});

const pages: [string, string, string][] = [
  ['text/html', 'page.html', '<script>alert(1)</script>'],
  ['TEXT/HTML; charset=utf-8', 'page.htm', '<script>alert(1)</script>'],
  ['image/svg+xml', 'a.svg', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
  ['application/xhtml+xml', 'a.xhtml', '<html xmlns="http://www.w3.org/1999/xhtml"/>'],
  ['text/xml', 'a.xml', '<?xml version="1.0"?><?xml-stylesheet href="a.xsl"?><a/>'],
  ['application/pdf', 'a.pdf', '%PDF-1.7'],
  ['text/javascript', 'a.js', 'alert(1)'],
];

test.each(pages)('%s is bytes to a browser, whichever URL brings it', async (type, name, raw) => {
  const { body } = await api.ask(`/v1/files?name=${name}`, { raw, headers: { 'content-type': type } });
  const id = String(body['id']);
  const signed = SignedUrl.parse((await api.ask(`/v1/files/${id}:sign`, { method: 'POST' })).body);
  for (const path of [`/v1/files/${id}/content`, signed.url]) {
    const { headers } = await api.ask(path);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': expect.stringMatching(/^attachment;/),
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
    });
  }
});

test('a polyglot that calls itself an image is not sniffed, and is never shown in the page', async () => {
  const raw = 'GIF89a/*<script>alert(1)</script>*/=0;';
  const asked = { raw, headers: { 'content-type': 'image/png' } };
  const { body } = await api.ask('/v1/files?name=a.png', asked);
  const { headers } = await api.ask(`/v1/files/${String(body['id'])}/content`);
  expect(headers.get('content-type')).toBe('image/png');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-disposition')).toMatch(/^attachment;/);
});
