import { Body, Controller, Param, Post, Res } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { FilePath, SignedUrl, SignRequest, SignUploadRequest } from '@perdure/job/schemas';
import type { FastifyReply } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { SigningService } from './signing.service.ts';

const problems = ['payload-too-large', 'unsupported-media-type'] as const;

@ApiTags('files')
@Controller('v1')
export class SignedUrlsController {
  constructor(private readonly signing: SigningService) {}

  @Post('files/:id(^[^:/]+)::sign')
  @ApiBody({ required: false, schema: { $ref: '#/components/schemas/SignRequest' } })
  @Operation({
    id: 'signFile',
    summary: 'A URL of the bytes that needs no key',
    description:
      'For GET and HEAD of this file alone, for a time, and as long as the caller may read it and the key lives that it is made with.',
    permission: 'files.read',
    answers: [{ status: 200, description: 'The URL', schema: SignedUrl }],
    problems: ['not-found', ...problems],
  })
  sign(
    @Caller() caller: Principal,
    @Param({ schema: FilePath }) { id }: FilePath,
    @Body({ schema: SignRequest }) request: SignRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignedUrl> {
    reply.code(200).header('cache-control', 'no-store');
    return this.signing.download(caller, id, request);
  }

  @Post('files::signUpload')
  @Operation({
    id: 'signUpload',
    summary: 'A URL that takes the bytes of one new file, and needs no key',
    description:
      'A PUT of the bytes makes the file, with this id, name and media type; it belongs to the caller. It works once, for a time, and as long as the key lives that it is made with.',
    permission: 'files.write',
    answers: [{ status: 200, description: 'The URL', schema: SignedUrl }],
    problems,
  })
  signUpload(
    @Caller() caller: Principal,
    @Body({ schema: SignUploadRequest }) request: SignUploadRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignedUrl> {
    reply.code(200).header('cache-control', 'no-store');
    return this.signing.upload(caller, request);
  }
}
