import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { PerdureError } from '@perdure/job/errors';
import { JobPath } from '@perdure/job/schemas';
import { isTerminal } from '@perdure/job/status';
import type { JobRecord } from '@perdure/store/read';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { Caller, type Principal } from '../http/caller.ts';
import { whenClosed } from '../http/closed.ts';
import { matchesNone } from '../http/conditional.ts';
import { header } from '../http/headers.ts';
import { Operation } from '../http/operation.ts';
import { HttpError } from '../http/problem.ts';
import { retryAfter, type Seen } from './job-answer.ts';
import { JobsService } from './jobs.service.ts';

/** So long a result that the workflow has decided may take to be recorded. */
const recordWaitMs = 2_000;

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
    headers: { 'If-None-Match': 'The ETag of before' },
    answers: [
      {
        status: 200,
        description: 'The output',
        content: { 'application/json': { schema: {} } },
        headers: { ETag: 'The SHA-256 of the output' },
      },
      { status: 303, description: 'The result is a file', headers: { Location: 'The bytes of the file' } },
      { status: 304, description: 'You have it' },
    ],
    problems: ['not-found', 'gone', 'job-not-finished', 'job-not-completed'],
  })
  async get(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Req() { headers }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    const seen = await this.jobs.newest(caller, await this.jobs.record(caller, id));
    requireCompleted(seen);
    const { output, resultFile } = seen.record;
    if (resultFile !== null) {
      const { files } = seen.ahead === undefined ? seen.record : await this.recorded(caller, id, reply);
      const file = files.find(({ name }) => name === resultFile);
      if (file === undefined) throw new Error(`job ${id} has lost its result ${resultFile}`);
      reply.code(303).header('location', `/v1/files/${file.fileId}/content`);
      return undefined;
    }
    const text = JSON.stringify(output ?? {});
    const etag = `"${createHash('sha256').update(text).digest('hex')}"`;
    reply.headers({ etag, 'cache-control': 'private, no-cache' });
    if (matchesNone(header(headers, 'if-none-match'), etag)) {
      reply.code(304);
      return undefined;
    }
    reply.type('application/json');
    return text;
  }

  /** The files of a result can be read once they are recorded: a moment after the workflow has decided. */
  private async recorded(caller: Principal, id: string, reply: FastifyReply): Promise<JobRecord> {
    const waiting = { ms: recordWaitMs, gone: whenClosed(reply), enough: () => false };
    const record = await this.jobs.waitUntil(caller, id, waiting);
    if (record.status === 'COMPLETED') return record;
    throw new PerdureError('unavailable', 'The job is COMPLETED, and its result is still being recorded');
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
