import { contentOf } from './content.ts';
import type {
  File,
  GetFileData,
  GetResultData,
  SignedUrl,
  SignFileData,
  SignUploadData,
  SignUploadRequest,
  UploadFileData,
} from './generated.ts';
import { pieceBytes, piecesOf, piecesOfStream } from './pieces.ts';
import { isPassing } from './retry.ts';
import { accessOf } from './sharing.ts';
import type { Signal, Transport } from './transport.ts';
import { base64, type UploadProgress, uploadPieces } from './uploads.ts';

/** `body` goes on where the connection breaks off. */
export type Download = { file: File; body: ReadableStream<Uint8Array> };

/** What a job brought forth: what its function declares as the result. */
export type Result = { kind: 'output'; output: Record<string, unknown> } | ({ kind: 'file' } & Download);

export type UploadOptions = Signal & {
  name: string;
  mediaType?: string;
  /** How many bytes a stream has. */
  size?: number;
  /** The SHA-256 of all bytes, in hex: no file comes into being where others arrive. */
  sha256?: string;
  /** Goes on with this upload of the same bytes, which was broken off. */
  resume?: string;
  onProgress?: (progress: UploadProgress) => void;
};

/** No upload in one request takes longer. */
const longestUploadSeconds = 86_400;

/** Files that jobs take, and files that they bring forth. */
export const filesOf = (transport: Transport) => ({
  /** Who else sees a file. */
  access: accessOf(transport, 'files'),

  /**
   * Uploads the bytes. More than 8 MiB go in pieces, each again where the connection breaks off; what is smaller goes in one request,
   * and in that way where this fails. A stream needs a `size` for it: without one it is tried once. Paths are the affair of
   * `uploadFrom` in `@perdure/client/node`.
   */
  async upload(
    content: Blob | Uint8Array<ArrayBuffer> | string | ReadableStream<Uint8Array>,
    { name, mediaType = 'application/octet-stream', size, sha256, resume, onProgress, signal }: UploadOptions,
  ): Promise<File> {
    const whole = async (bytes: Blob | ReadableStream<Uint8Array>): Promise<File> => {
      const digest = sha256 === undefined ? undefined : `sha-256=:${base64(bytesIn(sha256))}:`;
      const file = await transport.body<UploadFileData, File>('POST', '/v1/files', {
        query: { name },
        bytes,
        headers: { 'content-type': mediaType, 'content-digest': digest },
        heldSeconds: longestUploadSeconds,
        signal,
      });
      onProgress?.({ sent: file.size, total: file.size, upload: undefined });
      return file;
    };
    const streams = content instanceof ReadableStream;
    if (streams && size === undefined) return whole(content);
    const pieces = streams ? piecesOfStream(content, size ?? 0) : piecesOf(new Blob([content]));
    if (resume === undefined && pieces.size <= pieceBytes) {
      const file = await whole(await pieces.from(0)).catch((error: unknown) => {
        if (!isPassing(error)) throw error;
      });
      if (file !== undefined) return file;
    }
    const options = { name, mediaType, sha256, resume, onProgress, signal };
    const file = await this.get(await uploadPieces(transport, pieces, options), { signal });
    if (sha256 !== undefined && file.sha256 !== sha256)
      throw new Error(`The upload ${resume} was of other bytes: it has become the file ${file.id}`);
    return file;
  },

  get(id: string, { signal }: Signal = {}): Promise<File> {
    return transport.body<GetFileData, File>('GET', '/v1/files/{id}', { path: { id }, signal });
  },

  /** The bytes, as they are asked for. `saveTo` in `@perdure/client/node` writes them to a path. */
  async download(id: string, { signal }: Signal = {}): Promise<Download> {
    const file = await this.get(id, { signal });
    return { file, body: await contentOf(transport, file, signal) };
  },

  /** A URL that serves the bytes to whoever has it, without a key. */
  async sign(
    id: string,
    { expiresInSeconds, signal }: Signal & { expiresInSeconds?: number } = {},
  ): Promise<SignedUrl> {
    const call = { path: { id }, body: { expiresInSeconds }, repeatable: true, signal };
    return absolute(
      transport,
      await transport.body<SignFileData, SignedUrl>('POST', '/v1/files/{id}:sign', call),
    );
  },

  /** A URL to which whoever has it can PUT the bytes of one new file, once and without a key. */
  async signUpload(body: SignUploadRequest, { signal }: Signal = {}): Promise<SignedUrl> {
    const call = { body, repeatable: true, signal };
    return absolute(
      transport,
      await transport.body<SignUploadData, SignedUrl>('POST', '/v1/files:signUpload', call),
    );
  },
});

/** Throws 'JobNotCompleted' where the job ended without one, and the problem `job-not-finished` before its end. */
export async function resultOf(transport: Transport, id: string, { signal }: Signal): Promise<Result> {
  const bytes = await transport.bytes<GetResultData>('/v1/jobs/{id}/result', { path: { id }, signal });
  const { redirected, url } = bytes.response;
  const fileId = redirected ? /\/v1\/files\/([^/]+)\/content/.exec(url)?.[1] : undefined;
  if (fileId === undefined) return { kind: 'output', output: await bytes.json() };
  const file = await filesOf(transport).get(fileId, { signal });
  return { kind: 'file', file, body: await contentOf(transport, file, signal, bytes) };
}

/** The API does not know where it is reached. */
function absolute({ base }: Transport, signed: SignedUrl): SignedUrl {
  return { ...signed, url: base + signed.url };
}

function bytesIn(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (two) => Number.parseInt(two, 16));
}
