import { createHash } from 'node:crypto';
import { header, isMoment, must, mustBe, mustRefuse } from '../expect.ts';
import { type Check, fileText, type Kit } from '../kit.ts';

const sha256 = createHash('sha256').update(fileText).digest();
const etag = `"${sha256.toString('hex')}"`;

async function content(kit: Kit, headers: Record<string, string> = {}, method = 'GET') {
  const { links } = await kit.file();
  return kit.ask(String(links.content), { headers, method });
}

const upload = (kit: Kit, headers: Record<string, string>) =>
  kit.ask('/v1/files?name=kit.txt', { raw: fileText, headers: { 'content-type': 'text/plain', ...headers } });

const tus = { 'tus-resumable': '1.0.0' };

/** Begins an upload of the text; its path. */
async function begun(kit: Kit, digest: string): Promise<string> {
  const metadata = `filename ${btoa('kit.txt')},sha256 ${btoa(digest)}`;
  const headers = { ...tus, 'upload-length': String(fileText.length), 'upload-metadata': metadata };
  const answer = await kit.ask('/v1/uploads', { method: 'POST', headers });
  mustBe(answer, 201);
  return header(answer, 'location', /\/v1\/uploads\/[\w-]+$/, 'the upload').replace(/^https?:\/\/[^/]+/, '');
}

const part = (kit: Kit, path: string, offset: number, raw: string) =>
  kit.ask(path, {
    method: 'PATCH',
    raw,
    headers: { ...tus, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) },
  });

const signedUrl = async (kit: Kit, path: string, json: object = {}): Promise<string> => {
  const answer = await kit.ask(path, { json });
  mustBe(answer, 200);
  must(typeof answer.body.url === 'string' && isMoment(answer.body.expiresAt), 'url and expiresAt', answer);
  return answer.body.url;
};

const toRead = async (kit: Kit) => signedUrl(kit, `/v1/files/${(await kit.file()).id}:sign`);

export const files: Check[] = [
  {
    rule: 'F-1',
    title: 'An upload answers 201 with Location and the file: name, size and digest',
    async run(kit) {
      const answer = await upload(kit, {});
      mustBe(answer, 201);
      header(answer, 'location', `/v1/files/${answer.body.id}`);
      const { name, size, sha256: digest } = answer.body;
      must(name === 'kit.txt' && size === 26 && digest === sha256.toString('hex'), 'what was sent', answer);
    },
  },
  {
    rule: 'F-2',
    title: 'An upload whose digest does not match is refused with 422',
    async run(kit) {
      const wrong = `sha-256=:${Buffer.alloc(32).toString('base64')}:`;
      mustRefuse(await upload(kit, { 'content-digest': wrong }), 422, 'digest-mismatch');
      mustBe(await upload(kit, { 'content-digest': `sha-256=:${sha256.toString('base64')}:` }), 201);
    },
  },
  {
    rule: 'F-3',
    title: 'The ETag of the bytes is their SHA-256',
    async run(kit) {
      const answer = await content(kit);
      must(answer.status === 200 && answer.text === fileText, 'the bytes', answer);
      header(answer, 'etag', etag);
      header(answer, 'repr-digest', `sha-256=:${sha256.toString('base64')}:`);
    },
  },
  {
    rule: 'F-4',
    title: 'A range answers 206 with Content-Range',
    async run(kit) {
      const answer = await content(kit, { range: 'bytes=2-4' });
      mustBe(answer, 206);
      must(answer.text === 'cde', 'the bytes cde', answer);
      header(answer, 'content-range', 'bytes 2-4/26');
    },
  },
  {
    rule: 'F-5',
    title: 'A range outside the file answers 416 with its size',
    async run(kit) {
      const answer = await content(kit, { range: 'bytes=100-' });
      mustRefuse(answer, 416, 'range-not-satisfiable');
      header(answer, 'content-range', 'bytes */26');
    },
  },
  {
    rule: 'F-6',
    title: 'If-Range with another ETag answers with the whole file',
    async run(kit) {
      mustBe(await content(kit, { range: 'bytes=2-4', 'if-range': '"other"' }), 200);
      mustBe(await content(kit, { range: 'bytes=2-4', 'if-range': etag }), 206);
    },
  },
  {
    rule: 'F-7',
    title: 'If-None-Match with the ETag answers 304',
    async run(kit) {
      mustBe(await content(kit, { 'if-none-match': etag }), 304);
    },
  },
  {
    rule: 'F-8',
    title: 'Bytes come as an attachment whose type is not guessed',
    async run(kit) {
      const answer = await content(kit);
      header(answer, 'content-disposition', /^attachment;.*filename="kit\.txt"/);
      header(answer, 'x-content-type-options', 'nosniff');
    },
  },
  {
    rule: 'F-9',
    title: 'HEAD answers with the length of the file, and no bytes',
    async run(kit) {
      const answer = await content(kit, {}, 'HEAD');
      mustBe(answer, 200);
      header(answer, 'content-length', '26');
    },
  },
  {
    rule: 'F-10',
    title:
      'An upload in several requests (tus) goes on where it stopped, and becomes a file with its last byte',
    async run(kit) {
      const path = await begun(kit, sha256.toString('hex'));
      mustBe(await part(kit, path, 0, fileText.slice(0, 10)), 204);
      const stopped = await kit.ask(path, { method: 'HEAD', headers: tus });
      header(stopped, 'upload-offset', '10');
      must(!stopped.headers.has('perdure-file'), 'no file yet', stopped);
      const last = await part(kit, path, 10, fileText.slice(10));
      mustBe(last, 204);
      const id = header(last, 'perdure-file', /^[\w-]+$/, 'the id of the file');
      const bytes = await kit.ask(`/v1/files/${id}/content`);
      must(bytes.text === fileText, 'the bytes', bytes);
    },
  },
  {
    rule: 'F-11',
    title: 'An upload in several requests that does not match its digest is refused with 422',
    async run(kit) {
      const path = await begun(kit, '0'.repeat(64));
      mustRefuse(await part(kit, path, 0, fileText), 422, 'digest-mismatch');
    },
  },
  {
    rule: 'F-12',
    title: 'A signed URL serves the bytes without a key, and ranges of them',
    async run(kit) {
      const url = await toRead(kit);
      const whole = await kit.ask(url, { token: null });
      must(whole.status === 200 && whole.text === fileText, 'the bytes', whole);
      const part = await kit.ask(url, { token: null, headers: { range: 'bytes=2-4' } });
      must(part.status === 206 && part.text === 'cde', 'the bytes cde', part);
    },
  },
  {
    rule: 'F-13',
    title: 'A signed URL that was changed, or is used with another method, is refused with 403',
    async run(kit) {
      const url = await toRead(kit);
      const refusal = [403, 'signed-url-refused'] as const;
      mustRefuse(await kit.ask(url.replace('signature=', 'signature=A'), { token: null }), ...refusal);
      mustRefuse(await kit.ask(url, { token: null, method: 'PUT', raw: fileText }), ...refusal);
    },
  },
  {
    rule: 'F-14',
    title: 'A signed URL takes the bytes of a new file without a key, once',
    async run(kit) {
      const url = await signedUrl(kit, '/v1/files:signUpload', { name: 'kit.txt', mediaType: 'text/plain' });
      const put = () => kit.ask(url, { token: null, method: 'PUT', raw: fileText });
      const first = await put();
      mustBe(first, 201);
      const { name, mediaType, size } = first.body;
      must(name === 'kit.txt' && mediaType === 'text/plain' && size === 26, 'the file as announced', first);
      mustRefuse(await put(), 409, 'id-taken');
    },
  },
];
