import type { File, GetFileContentData, GetFileData, GetResultData, UploadFileData } from './generated.ts';
import type { Transport } from './transport.ts';

export type Download = { file: File; body: ReadableStream<Uint8Array> };

/** What a job brought forth: what its function declares as the result. */
export type Result = { kind: 'output'; output: Record<string, unknown> } | ({ kind: 'file' } & Download);

type Signal = { signal?: AbortSignal };

/** No upload takes longer. */
const longestUploadSeconds = 86_400;

/** Files that jobs take, and files that they bring forth. */
export const filesOf = (transport: Transport) => ({
  /**
   * Uploads the bytes, which may stream. In Node, `await openAsBlob(path)` of `node:fs` makes a Blob of a file. It is tried
   * once: a repeat would leave a second file behind.
   */
  async upload(
    content: Blob | Uint8Array<ArrayBuffer> | string | ReadableStream<Uint8Array>,
    { name, mediaType = 'application/octet-stream', signal }: { name: string; mediaType?: string } & Signal,
  ): Promise<File> {
    return transport.body<UploadFileData, File>('POST', '/v1/files', {
      query: { name },
      bytes: content,
      headers: { 'content-type': mediaType },
      heldSeconds: longestUploadSeconds,
      signal,
    });
  },

  get(id: string, { signal }: Signal = {}): Promise<File> {
    return transport.body<GetFileData, File>('GET', '/v1/files/{id}', { path: { id }, signal });
  },

  /** The bytes, as they come; whoever reads them sees an error where the connection breaks off. */
  async download(id: string, { signal }: Signal = {}): Promise<Download> {
    const file = await this.get(id, { signal });
    const call = { path: { id }, signal };
    return { file, body: bodyOf(await transport.head<GetFileContentData>('/v1/files/{id}/content', call)) };
  },
});

/** Throws 'JobNotCompleted' where the job ended without one, and the problem `job-not-finished` before its end. */
export async function resultOf(transport: Transport, id: string, { signal }: Signal): Promise<Result> {
  const response = await transport.head<GetResultData>('/v1/jobs/{id}/result', { path: { id }, signal });
  const fileId = response.redirected ? /\/v1\/files\/([^/]+)\/content/.exec(response.url)?.[1] : undefined;
  if (fileId === undefined) {
    return { kind: 'output', output: (await response.json()) as Record<string, unknown> };
  }
  return { kind: 'file', file: await filesOf(transport).get(fileId, { signal }), body: bodyOf(response) };
}

/** A file of no bytes may come without a body. */
function bodyOf({ body }: Response): ReadableStream<Uint8Array> {
  return body ?? new ReadableStream({ start: (controller) => controller.close() });
}
