import { Controller, Get, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { File, FilePath, SignedQuery, SignedUploadQuery } from '@perdure/job/schemas';
import type { FileRecord } from '@perdure/store/read';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { type AuthenticatedRequest, Caller, type Principal } from '../http/caller.ts';
import { matchesNone } from '../http/conditional.ts';
import { header } from '../http/headers.ts';
import { Operation } from '../http/operation.ts';
import { toDigest } from './digests.ts';
import { FilesService, toFile } from './files.service.ts';
import { attachment } from './names.ts';
import { rangeOf } from './ranges.ts';
import type { SignedUpload } from './signing.service.ts';
import { Uploads } from './uploads.ts';
import { TakesBytes } from './takes-bytes.ts';

/** What a browser may be told that a stranger's file is; everything else is bytes. */
const harmless = new Set([
  'text/plain',
  'text/csv',
  'application/json',
  'application/x-ndjson',
  'image/png',
  'image/jpeg',
  'application/zip',
  'application/gzip',
]);

@ApiTags('files')
@Controller('v1/files')
export class ContentController {
  constructor(
    private readonly files: FilesService,
    private readonly uploads: Uploads,
  ) {}

  @Get(':id/content')
  @Operation({
    id: 'getFileContent',
    summary: 'The bytes of a file',
    description: 'Whole, or one range. The bytes of an id never change.',
    permission: 'files.read',
    signable: true,
    headers: {
      Range: 'bytes=first-last',
      'If-Range': 'The ETag the range belongs to',
      'If-None-Match': 'The ETag of before',
    },
    answers: [
      {
        status: 200,
        description: 'The bytes',
        content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
        headers: { ETag: 'The SHA-256 of the whole file', 'Repr-Digest': 'The same, as in RFC 9530' },
      },
      {
        status: 206,
        description: 'A part of the bytes',
        content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
      },
      { status: 304, description: 'You have it' },
    ],
    problems: ['not-found', 'range-not-satisfiable'],
  })
  async get(
    @Caller() caller: Principal,
    @Param({ schema: FilePath }) { id }: FilePath,
    @Query({ schema: SignedQuery }) _query: SignedQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const file = await this.files.get(caller, id);
    const etag = `"${file.sha256}"`;
    reply.headers(headersOf(file, etag));
    if (matchesNone(header(request.headers, 'if-none-match'), etag)) {
      await reply.code(304).send();
      return;
    }
    // A range of other bytes than the client has the beginning of is of no use to it (RFC 9110, 13.1.5).
    const current = [undefined, etag].includes(header(request.headers, 'if-range'));
    const range = current ? rangeOf(header(request.headers, 'range'), file.size) : undefined;
    const length = range ? range.end - range.start + 1 : file.size;
    if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${file.size}`);
    const bytes =
      request.method === 'HEAD' || length === 0 ? Readable.from([]) : await this.files.read(file, range);
    await reply.header('content-length', length).send(bytes);
  }

  @Put(':id/content')
  @TakesBytes()
  @Operation({
    id: 'putFileContent',
    summary: 'Upload a file with a signed URL',
    description:
      'Only for a URL of `POST /v1/files:signUpload`, which says what the file is called and what it is. A second time is refused.',
    permission: 'files.write',
    signable: true,
    headers: { 'Content-Digest': 'sha-256=:…: is checked (RFC 9530); so is Repr-Digest' },
    answers: [{ status: 201, description: 'The file', schema: File, headers: { Location: 'The file' } }],
    problems: [
      'id-taken',
      'payload-too-large',
      'unsupported-media-type',
      'digest-mismatch',
      'upload-incomplete',
    ],
  })
  async put(
    @Caller() caller: Principal,
    @Param({ schema: FilePath }) { id }: FilePath,
    @Query({ schema: SignedUploadQuery }) _query: SignedUploadQuery,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<File> {
    // Nothing else lets a request come so far.
    const signed = request.signed as SignedUpload;
    const file = await this.uploads.take(request, signed.name, (upload) =>
      this.files.create(caller, { ...upload, ...signed }, id),
    );
    reply.code(201).header('location', `/v1/files/${id}`);
    return toFile(file);
  }
}

function headersOf({ name, mediaType, sha256 }: FileRecord, etag: string): Record<string, string> {
  const [type = ''] = mediaType.toLowerCase().split(';');
  return {
    etag,
    'accept-ranges': 'bytes',
    'repr-digest': toDigest(sha256),
    'content-type': harmless.has(type.trim()) ? mediaType : 'application/octet-stream',
    'content-disposition': attachment(name),
    'content-security-policy': "sandbox; default-src 'none'",
    'cache-control': 'private, max-age=31536000, immutable',
  };
}
