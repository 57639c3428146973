import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { JobPath, levelsFrom, LogQuery } from '@perdure/job/schemas';
import type { LogFilter } from '@perdure/store/read';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { OpenStreams } from '../events/open-streams.ts';
import { Visits } from '../access/visits.ts';
import { preferredType } from '../http/accept.ts';
import { type AuthenticatedRequest, Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { ndjson, plainText, written } from './log-formats.ts';
import { LogsService } from './logs.service.ts';

const json = 'application/json';
const linesOfPage = 1_000;
const kinds = {
  [json]: { schema: { $ref: '#/components/schemas/LogPage' } },
  [ndjson]: { schema: { $ref: '#/components/schemas/LogLine' } },
  [plainText]: { schema: { type: 'string' } },
};

@ApiTags('jobs')
@Controller('v1/jobs')
export class LogsController {
  constructor(
    private readonly logs: LogsService,
    private readonly streams: OpenStreams,
    private readonly visits: Visits,
  ) {}

  @Get(':id(^[^:/]+)/logs')
  @Operation({
    id: 'getLogs',
    summary: 'What a job logged',
    description:
      'A page as JSON; all lines so far as one JSON object a line, or as text (time, stream, level, text), where `Accept` prefers these. With `follow=true` a stream of such lines that ends with the job. Lines of lost and failed attempts are kept.',
    permission: 'jobs.read',
    answers: [
      {
        status: 200,
        description: 'Lines, oldest first',
        content: kinds,
        headers: { 'Perdure-Logs-Kept-Since': 'Set where the job is older: lines from before are gone' },
      },
    ],
    problems: ['not-found', 'gone', 'not-acceptable', 'too-many-streams'],
  })
  async get(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Query({ schema: LogQuery }) query: LogQuery,
    @Req() request: AuthenticatedRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { limit, follow = false, since, attempt, stream: streams, level, q: containing } = query;
    const wanted: LogFilter = { since, attempt, streams, levels: level && levelsFrom(level), containing };
    const { accept } = request.headers;
    const type = follow
      ? preferredType(accept, [ndjson, plainText])
      : preferredType(accept, [json, ndjson, plainText]);
    // A stream that has begun cannot become a 404.
    const keptSince = await this.logs.keptSince(caller, id);
    if (keptSince !== undefined) reply.header('perdure-logs-kept-since', keptSince);
    reply.header('cache-control', 'no-store').header('vary', 'accept');
    if (type === json) {
      const page = await this.logs.page(caller, id, wanted, limit ?? linesOfPage);
      await reply.header('content-type', json).send(page);
      return;
    }
    reply.header('content-type', type === plainText ? `${plainText}; charset=utf-8` : type);
    if (request.method === 'HEAD') return void (await reply.send(''));
    const gone = this.visits.during(request, reply);
    this.streams.open(caller, reply, gone);
    const lines = follow
      ? this.logs.follow(caller, id, wanted, gone)
      : this.logs.stream(caller, id, wanted, limit ?? Infinity);
    await reply.send(Readable.from(written(lines, type), { highWaterMark: 1 }));
  }
}
