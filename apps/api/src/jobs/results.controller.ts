import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { PerdureError } from '@perdure/job/errors';
import type { JsonObject } from '@perdure/job/json';
import { JobPath } from '@perdure/job/schemas';
import { isTerminal } from '@perdure/job/status';
import type { JobRecord } from '@perdure/store/read';
import type { FastifyReply } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { HttpError } from '../http/problem.ts';
import { retryAfter, type Seen } from './job-answer.ts';
import { JobsService } from './jobs.service.ts';

@ApiTags('jobs')
@Controller('v1/jobs')
export class ResultsController {
  constructor(private readonly jobs: JobsService) {}

  @Get(':id(^[^:/]+)/result')
  @Operation({
    id: 'getResult',
    summary: 'The result of a job',
    description: 'What the function declares as its result: its output as JSON, or one of its files.',
    permission: 'jobs.read',
    answers: [
      { status: 200, description: 'The output', content: { 'application/json': { schema: {} } } },
      { status: 303, description: 'The result is a file', headers: { Location: 'The bytes of the file' } },
    ],
    problems: ['not-found', 'job-not-finished', 'job-not-completed'],
  })
  async get(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonObject | undefined> {
    const seen = await this.jobs.newest(caller, await this.jobs.record(caller, id));
    const { record } = seen;
    requireCompleted(seen);
    if (record.resultFile === null) {
      reply.type('application/json');
      return record.output ?? {};
    }
    const file = record.files.find(({ name }) => name === record.resultFile);
    if (file === undefined) throw new Error(`job ${id} has lost its result ${record.resultFile}`);
    reply.code(303).header('location', `/v1/files/${file.fileId}/content`);
    return undefined;
  }
}

function requireCompleted({ status, record }: Seen): void {
  if (status === 'COMPLETED') return;
  if (!isTerminal(status)) {
    throw new HttpError('job-not-finished', `The job is ${status}: there is no result yet`, {
      headers: { 'retry-after': retryAfter({ status, createdAt: record.createdAt }) ?? '1' },
    });
  }
  throw lost(record);
}

function lost({ status, error }: JobRecord): PerdureError {
  if (error === null) return new HttpError('job-not-completed', `The job is ${status}: it has no result`);
  const details = error.errors ?? [];
  return new HttpError('job-not-completed', `The job is ${status}: ${error.detail}`, {
    details,
    members: { error },
  });
}
