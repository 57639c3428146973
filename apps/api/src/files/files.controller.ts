import { Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import { PerdureError } from '@perdure/job/errors';
import { File, FilePath, UploadQuery } from '@perdure/job/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { Caller, type Principal } from '../http/caller.ts';
import { header } from '../http/headers.ts';
import { drain } from '../http/json-body.ts';
import { Operation } from '../http/operation.ts';
import { Settings } from '../settings.ts';
import { announcedSha256 } from './digests.ts';
import { FilesService, toFile } from './files.service.ts';
import { uploadName } from './names.ts';

@ApiTags('files')
@Controller('v1/files')
export class FilesController {
  constructor(
    private readonly files: FilesService,
    private readonly settings: Settings,
  ) {}

  @Post()
  @RouteConfig({ raw: true })
  @ApiConsumes('application/octet-stream')
  @ApiBody({ description: 'The bytes, of any media type', schema: { type: 'string', format: 'binary' } })
  @Operation({
    id: 'uploadFile',
    summary: 'Upload a file',
    description:
      'The body is the file, of whatever Content-Type; it streams. The file exists once all bytes have come and match the digest.',
    permission: 'files.write',
    headers: {
      'Content-Disposition': 'The name of the file, unless `name` says it',
      'Content-Digest': 'sha-256=:…: is checked (RFC 9530); so is Repr-Digest',
    },
    answers: [{ status: 201, description: 'The file', schema: File, headers: { Location: 'The file' } }],
    problems: ['payload-too-large', 'unsupported-media-type', 'digest-mismatch', 'upload-incomplete'],
  })
  async upload(
    @Caller() caller: Principal,
    @Query({ schema: UploadQuery }) query: UploadQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<File> {
    // Without a body there is nothing to parse: an empty file.
    const bytes = request.body instanceof Readable ? request.body : Readable.from([]);
    try {
      const upload = { ...this.announced(query, request), bytes };
      const file = toFile(await this.files.create(caller, upload));
      reply.code(201).header('location', file.links.self);
      return file;
    } catch (error) {
      drain(bytes);
      throw error;
    }
  }

  @Get(':id')
  @Operation({
    id: 'getFile',
    summary: 'What is known of a file',
    permission: 'files.read',
    answers: [{ status: 200, description: 'The file', schema: File }],
    problems: ['not-found'],
  })
  async get(@Caller() caller: Principal, @Param({ schema: FilePath }) { id }: FilePath): Promise<File> {
    return toFile(await this.files.get(caller, id));
  }

  /** Everything that can be refused before a byte is read. */
  private announced(query: UploadQuery, { headers }: FastifyRequest) {
    const {
      'content-length': length,
      'content-type': mediaType = 'application/octet-stream',
      'content-encoding': encoding,
    } = headers;
    const { fileBytes } = this.settings.config.limits;
    if (Number(length) > fileBytes)
      throw new PerdureError('payload-too-large', `A file has ${fileBytes} bytes at most`);
    if (encoding !== undefined && encoding !== 'identity') {
      throw new PerdureError(
        'unsupported-media-type',
        'Content-Encoding is not supported: send the bytes as they are',
      );
    }
    if (/^multipart\//i.test(mediaType)) {
      throw new PerdureError(
        'unsupported-media-type',
        'The body is the file itself, not a form: curl --data-binary @file, not -F',
      );
    }
    const contentDigest = announcedSha256(header(headers, 'content-digest'), 'Content-Digest');
    const reprDigest = announcedSha256(header(headers, 'repr-digest'), 'Repr-Digest');
    if (contentDigest !== undefined && reprDigest !== undefined && contentDigest !== reprDigest) {
      throw new PerdureError('digest-mismatch', 'Content-Digest and Repr-Digest announce different bytes');
    }
    return {
      name: uploadName(query.name, header(headers, 'content-disposition')),
      mediaType: mediaType.slice(0, 255),
      expectedSha256: contentDigest ?? reprDigest,
    };
  }
}
