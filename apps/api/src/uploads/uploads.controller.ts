import { Controller, Delete, Head, Options, Param, Patch, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import { FilePath } from '@perdure/job/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { UploadsService } from './uploads.service.ts';

const mediaType = 'application/offset+octet-stream';
const binary = { schema: { type: 'string', format: 'binary' } };
const version = {
  'Tus-Resumable': {
    description: 'The version of tus',
    required: true,
    schema: { type: 'string', enum: ['1.0.0'] },
  },
} as const;
const otherVersion = { code: 'malformed-request', status: 412 } as const;
const bytes = { type: 'string', pattern: '^(0|[1-9][0-9]{0,14})$' };
const base64 = '([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?';
const entry = `[!-+.-~-]+( ${base64})?`;
const whole = {
  'Perdure-File': 'The id of the file, once all bytes have come',
  'Content-Location': 'The file, once all bytes have come',
};

/** Uploads that go on where they broke off: tus 1.0.0. */
@ApiTags('uploads')
@Controller('v1/uploads')
export class UploadsController {
  constructor(private readonly uploads: UploadsService) {}

  @Options()
  @Operation({
    id: 'getUploadAbilities',
    summary: 'What the upload protocol can do here',
    permission: 'files.write',
    answers: [
      {
        status: 204,
        description: 'tus 1.0.0',
        headers: {
          'Tus-Version': 'The versions of tus',
          'Tus-Extension': 'Its extensions',
          'Tus-Max-Size': 'The largest file, in bytes',
        },
      },
    ],
  })
  abilities(
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.uploads.answer(caller, request, reply);
  }

  @Post()
  @RouteConfig({ raw: true })
  @ApiConsumes(mediaType)
  @ApiBody({ required: false, description: 'The first bytes, or none', ...binary })
  @Operation({
    id: 'createUpload',
    summary: 'Begin an upload that goes on where it breaks off',
    description:
      'tus 1.0.0, for large files. There is no file before all bytes have come and match `sha256`; then it is one as any other.',
    permission: 'files.write',
    headers: {
      ...version,
      'Upload-Length': { description: 'The size of the file in bytes', required: true, schema: bytes },
      'Upload-Metadata': {
        description: '`filename`, `filetype`, and `sha256` (of the whole file, in hex), each in base64',
        schema: { type: 'string', pattern: `^${entry}(,${entry})*$` },
      },
    },
    answers: [
      {
        status: 201,
        description: 'The upload',
        headers: {
          Location: 'The upload',
          'Upload-Offset': 'How many bytes have come, where the body had some',
          'Upload-Expires': 'Until when it can be gone on with',
          ...whole,
        },
      },
    ],
    problems: [otherVersion, 'payload-too-large', 'digest-mismatch'],
  })
  create(
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.uploads.answer(caller, request, reply);
  }

  @Head(':id')
  @Operation({
    id: 'getUpload',
    summary: 'How far an upload has come',
    permission: 'files.write',
    headers: version,
    answers: [
      {
        status: 200,
        description: 'Where to go on',
        headers: {
          'Upload-Offset': 'Bytes that have come',
          'Upload-Length': 'Bytes of the whole',
          ...whole,
        },
      },
    ],
    problems: [otherVersion, 'not-found'],
  })
  head(
    @Caller() caller: Principal,
    @Param({ schema: FilePath }) { id }: FilePath,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.uploads.answer(caller, request, reply, id);
  }

  @Patch(':id')
  @RouteConfig({ raw: true })
  @ApiConsumes(mediaType)
  @ApiBody({ description: 'The bytes from Upload-Offset on', ...binary })
  @Operation({
    id: 'continueUpload',
    summary: 'Go on with an upload',
    description:
      'What has come of a request that breaks off is kept. The last bytes make the file: their answer names it. Bytes that do not match `sha256` end the upload.',
    permission: 'files.write',
    headers: {
      ...version,
      'Upload-Offset': { description: 'Where these bytes belong', required: true, schema: bytes },
    },
    answers: [
      {
        status: 204,
        description: 'The bytes are kept',
        headers: { 'Upload-Offset': 'How many bytes have come', ...whole },
      },
    ],
    problems: [otherVersion, 'not-found', 'upload-conflict', 'payload-too-large', 'digest-mismatch'],
  })
  patch(
    @Caller() caller: Principal,
    @Param({ schema: FilePath }) { id }: FilePath,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.uploads.answer(caller, request, reply, id);
  }

  @Delete(':id')
  @Operation({
    id: 'deleteUpload',
    summary: 'Give an upload up',
    description: 'The bytes that have come are thrown away. A file that it became stays.',
    permission: 'files.write',
    headers: version,
    answers: [{ status: 204, description: 'It is gone' }],
    problems: [otherVersion, 'not-found'],
  })
  delete(
    @Caller() caller: Principal,
    @Param({ schema: FilePath }) { id }: FilePath,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.uploads.answer(caller, request, reply, id);
  }
}
