import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { JobPath, LogQuery } from '@perdure/job/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { preferredType } from '../http/accept.ts';
import { Caller, type Principal } from '../http/caller.ts';
import { whenClosed } from '../http/closed.ts';
import { Operation } from '../http/operation.ts';
import { JobsService } from './jobs.service.ts';
import { LogsService, toNdjson } from './logs.service.ts';

const ndjson = 'application/x-ndjson';
const kinds = {
  'application/json': { schema: { $ref: '#/components/schemas/LogPage' } },
  [ndjson]: { schema: { $ref: '#/components/schemas/LogLine' } },
};

@ApiTags('jobs')
@Controller('v1/jobs')
export class LogsController {
  constructor(
    private readonly jobs: JobsService,
    private readonly logs: LogsService,
  ) {}

  @Get(':id(^[^:/]+)/logs')
  @Operation({
    id: 'getLogs',
    summary: 'What a job logged',
    description:
      'A page as JSON, or as one JSON object a line where `Accept` prefers application/x-ndjson. With `follow=true` a stream of such lines that ends with the job. Lines of lost and failed attempts are kept.',
    permission: 'jobs.read',
    headers: { Accept: `application/json or ${ndjson}` },
    answers: [{ status: 200, description: 'Lines, oldest first', content: kinds }],
    problems: ['not-found', 'not-acceptable'],
  })
  async get(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Query({ schema: LogQuery }) { since, limit, follow }: LogQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { accept } = request.headers;
    reply.header('cache-control', 'no-store').header('vary', 'accept');
    if (follow === true) {
      preferredType(accept, [ndjson]);
      // A stream that has begun cannot become a 404.
      await this.jobs.revision(caller, id);
      const lines = this.logs.follow(caller, id, since, whenClosed(reply));
      await reply
        .type(ndjson)
        .send(request.method === 'HEAD' ? '' : Readable.from(lines, { highWaterMark: 1 }));
      return;
    }
    const type = preferredType(accept, ['application/json', ndjson]);
    const page = await this.logs.page(caller, id, since, limit);
    reply.header('content-type', type);
    // As bytes: to a text Fastify would add a charset.
    await reply.send(type === ndjson ? Buffer.from(toNdjson(page.items)) : page);
  }
}
