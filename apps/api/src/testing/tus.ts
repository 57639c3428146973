import tus from 'tus-js-client';
import type { TestApi } from './api.ts';

/** What `Upload-Metadata` says. */
export const metadata = (values: Record<string, string>): string =>
  Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');

/** Headers of tus, and no body: `fetch` would announce one. */
export const tusHeaders = (more: Record<string, string> = {}) => ({ 'tus-resumable': '1.0.0', ...more });

export const bytesAt = (offset: number, more: Record<string, string> = {}) =>
  tusHeaders({
    'content-type': 'application/offset+octet-stream',
    'upload-offset': String(offset),
    ...more,
  });

/** Begins an upload of `size` bytes; its path. */
export async function begun(
  api: TestApi,
  size: number,
  values: Record<string, string> = {},
  key?: string,
): Promise<string> {
  const answer = await api.ask('/v1/uploads', {
    method: 'POST',
    headers: tusHeaders({
      'upload-length': String(size),
      ...(Object.keys(values).length > 0 ? { 'upload-metadata': metadata(values) } : {}),
    }),
    ...(key === undefined ? {} : { key }),
  });
  const location = answer.headers.get('location');
  if (answer.status !== 201 || location === null) throw new Error(`${answer.status} ${answer.text}`);
  return location;
}

export type TusEnd = { error: Error | undefined; status: number | undefined; fileId: string | undefined };

/** An upload by a client that many people use. `ended` never rejects. */
export function tusUpload(file: Buffer, options: tus.UploadOptions) {
  let fileId: string | undefined;
  const { promise: ended, resolve } = Promise.withResolvers<TusEnd>();
  const upload = new tus.Upload(file, {
    ...options,
    onAfterResponse: (_request, response) => {
      fileId = response.getHeader('Perdure-File') ?? fileId;
    },
    onSuccess: () => resolve({ error: undefined, status: undefined, fileId }),
    onError: (error) => {
      const status = error instanceof tus.DetailedError ? error.originalResponse?.getStatus() : undefined;
      resolve({ error, status, fileId });
    },
  });
  return { upload, ended };
}
