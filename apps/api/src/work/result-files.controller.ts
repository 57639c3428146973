import { Controller, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { JobPath, ResultFile, ResultFileQuery } from '@perdure/job/schemas';
import { keepDraft } from '@perdure/store/report';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { DatabaseService } from '../database/database.service.ts';
import { FilesService } from '../files/files.service.ts';
import { Uploads } from '../files/uploads.ts';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { Holders } from './holders.ts';
import { TakesBytes } from '../files/takes-bytes.ts';

@ApiTags('work')
@Controller('v1/jobs')
export class ResultFilesController {
  constructor(
    private readonly database: DatabaseService,
    private readonly files: FilesService,
    private readonly uploads: Uploads,
    private readonly holders: Holders,
  ) {}

  @Post(':id(^[^:/]+)/files')
  @TakesBytes()
  @Operation({
    id: 'uploadResultFile',
    summary: 'Upload a file of a result',
    description:
      'It streams. Nobody sees it before the job is completed by this attempt; a second one of the same name takes its place.',
    permission: 'jobs.work',
    headers: {
      'Content-Disposition': 'The name of the file, unless `name` says it',
      'Content-Digest': 'sha-256=:…: is checked (RFC 9530); so is Repr-Digest',
    },
    answers: [{ status: 201, description: 'What was stored', schema: ResultFile }],
    problems: [
      'not-found',
      'unknown-agent',
      'stale-attempt',
      'payload-too-large',
      'unsupported-media-type',
      'digest-mismatch',
      'upload-incomplete',
    ],
  })
  upload(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Query({ schema: ResultFileQuery }) { name, attempt }: ResultFileQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ResultFile> {
    return this.uploads.take(request, name, async (upload) => {
      await this.holders.job(await this.holders.agent(caller), caller, id, attempt);
      const stored = await this.files.store(upload);
      const draft = { id: uuidv7(), name: upload.name, mediaType: upload.mediaType, ...stored };
      const kept = await this.database.change(
        caller,
        (db) => keepDraft(db, id, attempt, draft),
        () => ({ kind: 'job', id }),
      );
      reply.code(201);
      return kept;
    });
  }
}
