import { Body, Controller, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { ArchiveRequest, Job, JobPath } from '@perdure/job/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { header } from '../http/headers.ts';
import { Operation } from '../http/operation.ts';
import { ArchiveService } from './archive.service.ts';
import { etagOf, type Seen } from './job-answer.ts';
import { JobsService } from './jobs.service.ts';

const headers = { 'If-Match': 'Do it only if the job still has this ETag' };
const jobHeaders = { ETag: 'The revision of the job' };
const problems = [
  'not-found',
  'gone',
  'precondition-failed',
  'transition-refused',
  'payload-too-large',
  'unsupported-media-type',
] as const;

@ApiTags('jobs')
@Controller('v1/jobs')
export class ArchiveController {
  constructor(
    private readonly archiving: ArchiveService,
    private readonly jobs: JobsService,
  ) {}

  @Post(':id(^[^:/]+)::archive')
  @ApiBody({ required: false, schema: { $ref: '#/components/schemas/ArchiveRequest' } })
  @Operation({
    id: 'archiveJob',
    summary: 'Put a job that has ended into the archive',
    description:
      'It leaves the lists that do not ask for archived jobs, and stays readable at the same place. A second time changes nothing.',
    permission: 'jobs.archive',
    headers,
    answers: [{ status: 200, description: 'The job', schema: Job, headers: jobHeaders }],
    problems,
  })
  async archive(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Body({ schema: ArchiveRequest }) { reason }: ArchiveRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job> {
    const ifMatch = header(request.headers, 'if-match');
    return this.send(reply, await this.archiving.move(caller, id, { kind: 'archived', reason }, ifMatch));
  }

  @Post(':id(^[^:/]+)::restore')
  @ApiBody({ required: false, schema: { $ref: '#/components/schemas/ArchiveRequest' } })
  @Operation({
    id: 'restoreJob',
    summary: 'Take a job out of the archive',
    description: 'A job that is not in the archive is left as it is.',
    permission: 'jobs.archive',
    headers,
    answers: [{ status: 200, description: 'The job', schema: Job, headers: jobHeaders }],
    problems,
  })
  async restore(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Body({ schema: ArchiveRequest }) { reason }: ArchiveRequest,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job> {
    const ifMatch = header(request.headers, 'if-match');
    return this.send(reply, await this.archiving.move(caller, id, { kind: 'restored', reason }, ifMatch));
  }

  private send(reply: FastifyReply, seen: Seen): Promise<Job> {
    reply.code(200).header('etag', etagOf(seen)).header('cache-control', 'private, no-cache');
    return this.jobs.answer(seen);
  }
}
