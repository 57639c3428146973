import { Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { File, FilePath, UploadQuery } from '@perdure/job/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { FilesService, toFile } from './files.service.ts';
import { Uploads } from './uploads.ts';
import { TakesBytes } from './takes-bytes.ts';

@ApiTags('files')
@Controller('v1/files')
export class FilesController {
  constructor(
    private readonly files: FilesService,
    private readonly uploads: Uploads,
  ) {}

  @Post()
  @TakesBytes()
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
    const file = toFile(
      await this.uploads.take(request, query.name, (upload) => this.files.create(caller, upload)),
    );
    reply.code(201).header('location', file.links.self);
    return file;
  }

  @Get(':id(^[^:/]+)')
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
}
