import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { Server } from '@tus/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { v7 as uuidv7 } from 'uuid';
import { DatabaseService } from '../database/database.service.ts';
import { received } from '../files/received.ts';
import { StorageService } from '../files/storage.service.ts';
import type { Principal } from '../http/caller.ts';
import { header } from '../http/headers.ts';
import { maxDrainedBytes } from '../http/json-body.ts';
import { HttpError } from '../http/problem.ts';
import { Settings } from '../settings.ts';
import { UploadStore } from './upload-store.ts';

const path = '/v1/uploads';
/** All that the protocol has a client say; what else it says changes nothing. */
const spoken = [
  'content-length',
  'content-type',
  'tus-resumable',
  'upload-concat',
  'upload-defer-length',
  'upload-length',
  'upload-metadata',
  'upload-offset',
];
/** What keeps two requests apart is the row in PostgreSQL: a lock that one replica alone knows of would be none. */
const locker = { newLock: () => ({ lock: () => Promise.resolve(), unlock: () => Promise.resolve() }) };

/** tus 1.0.0 (https://tus.io/protocols/resumable-upload), on a library that knows the protocol. */
@Injectable()
export class UploadsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly storage: StorageService,
    private readonly settings: Settings,
  ) {}

  /** What is left of the body of a refused request is read, so that the client lives to see why. */
  async answer(caller: Principal, request: FastifyRequest, reply: FastifyReply, id?: string): Promise<void> {
    reply.header('tus-resumable', '1.0.0');
    const body = request.body instanceof Readable ? request.body : Readable.from([]);
    const bytes = asFarAsItCame(body);
    try {
      const { response, fileId } = await this.ask(caller, webRequest(request, bytes, id));
      // Pages of other origins have no business here, as everywhere in this API.
      for (const [name, value] of response.headers)
        if (!name.startsWith('access-control-')) reply.header(name, value);
      if (fileId !== null)
        reply.headers({ 'perdure-file': fileId, 'content-location': `/v1/files/${fileId}` });
      await reply.code(response.status).send();
    } catch (error) {
      void readOn(bytes, body);
      throw error;
    }
  }

  private async ask(caller: Principal, request: Request) {
    const { fileBytes: maxSize, uploadSeconds } = this.settings.config.limits;
    const datastore = new UploadStore(this.database, this.storage, caller, uploadSeconds * 1_000);
    let failure: unknown;
    const tus = new Server({
      path,
      datastore,
      locker,
      maxSize,
      relativeLocation: true,
      namingFunction: () => uuidv7(),
      onResponseError: (_request, error) => void (failure = error),
    });
    const response = await tus.handleWeb(request);
    if (failure instanceof Error && !('status_code' in failure)) throw failure;
    if (response.status >= 400) throw problemIn(response.status, await response.text(), maxSize);
    return { response, fileId: datastore.fileId };
  }
}

function webRequest(
  { method, headers }: FastifyRequest,
  bytes: AsyncIterable<Uint8Array>,
  id: string | undefined,
): Request {
  const said = spoken.flatMap((name) => {
    const value = header(headers, name);
    return value === undefined ? [] : [[name, value] as [string, string]];
  });
  const bodied = method === 'POST' || method === 'PATCH';
  return new Request(`http://localhost${path}${id === undefined ? '' : `/${id}`}`, {
    method,
    headers: said,
    ...(bodied ? { body: ReadableStream.from(bytes), duplex: 'half' } : {}),
  });
}

/** A connection that breaks is the end of this request, not of the upload. */
async function* asFarAsItCame(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* received(body);
  } catch (error) {
    if (!(error instanceof PerdureError) || error.code !== 'upload-incomplete') throw error;
  }
}

/** Throws the rest of a refused body away, up to a bound; it has one reader already, that others would wait for. */
async function readOn(bytes: AsyncIterable<Uint8Array>, body: Readable): Promise<void> {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.byteLength;
    if (size > maxDrainedBytes) body.destroy();
  }
}

/** The library answers with a status and a line of text. */
function problemIn(status: number, text: string, maxSize: number): PerdureError {
  const said = text.trim();
  switch (status) {
    case 404:
    case 410:
      return new PerdureError('not-found', 'There is no such upload, or its time is over');
    case 409:
      return new PerdureError('upload-conflict', 'The upload does not end at this Upload-Offset');
    case 412:
      return new HttpError('malformed-request', 'The header Tus-Resumable: 1.0.0 is missing', {
        status,
        headers: { 'tus-version': '1.0.0' },
      });
    case 413:
      return new PerdureError(
        'payload-too-large',
        `These are more bytes than Upload-Length announces, or than a file may have (${maxSize})`,
      );
    case 400:
    case 403:
    case 501:
      return new PerdureError('malformed-request', said);
    default:
      return new PerdureError('internal-error', 'An unexpected error. The logs have it under the traceId', {
        cause: new Error(`tus: ${status} ${said}`),
      });
  }
}
