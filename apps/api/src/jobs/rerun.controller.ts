import { Body, Controller, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { Job, JobPath, RerunRequest } from '@perdure/job/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { header } from '../http/headers.ts';
import { Operation } from '../http/operation.ts';
import { idempotencyHeader, idempotencyKey } from './idempotency-key.ts';
import { etagOf, fromRecord } from './job-answer.ts';
import { JobsService } from './jobs.service.ts';
import { RerunService } from './rerun.service.ts';

const headers = { Location: 'The new job', ETag: 'The revision of the new job' };

@ApiTags('jobs')
@Controller('v1/jobs')
export class RerunController {
  constructor(
    private readonly reruns: RerunService,
    private readonly jobs: JobsService,
  ) {}

  @Post(':id(^[^:/]+)::rerun')
  @ApiBody({ required: false, schema: { $ref: '#/components/schemas/RerunRequest' } })
  @Operation({
    id: 'rerunJob',
    summary: 'Run a job again that has ended',
    description:
      'Makes a new job of the same function in the same version, with the same parameters and all else that was asked for but the id and `notBefore`. It is checked as a submit is. Each names the other: `rerunOf`, `reruns`.',
    permission: 'jobs.submit',
    headers: {
      'Idempotency-Key': idempotencyHeader(
        'A repeat with the same key and body answers with the job of the first request',
      ),
      'If-Match': 'Do it only if the job that is to run again still has this ETag',
    },
    answers: [
      { status: 201, description: 'The new job', schema: Job, headers },
      { status: 200, description: 'A repeat: the job of the first request', schema: Job, headers },
    ],
    problems: [
      'not-found',
      'gone',
      'precondition-failed',
      'transition-refused',
      'payload-too-large',
      'unsupported-media-type',
      'unknown-function',
      'unknown-pool',
      'unknown-agent',
      'incapable-agent',
      'unknown-file',
      'invalid-parameters',
      'idempotency-key-reused',
      'request-in-flight',
    ],
  })
  async rerun(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Body({ schema: RerunRequest }) body: RerunRequest,
    @Req() { headers }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job> {
    const key = idempotencyKey(headers['idempotency-key']);
    const ifMatch = header(headers, 'if-match');
    const { job, created } = await this.reruns.rerun(caller, id, body, { key, ifMatch });
    const seen = fromRecord(job);
    reply
      .code(created ? 201 : 200)
      .header('location', `/v1/jobs/${job.id}`)
      .header('etag', etagOf(seen))
      .header('cache-control', 'private, no-cache');
    return this.jobs.answer(seen);
  }
}
