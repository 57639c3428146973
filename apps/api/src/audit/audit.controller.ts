import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type AuditEntry, AuditQuery } from '@perdure/job/schemas';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { Visits } from '../access/visits.ts';
import { OpenStreams } from '../events/open-streams.ts';
import { preferredType } from '../http/accept.ts';
import { type AuthenticatedRequest, Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { AuditService } from './audit.service.ts';

const json = 'application/json';
const ndjson = 'application/x-ndjson';

@ApiTags('audit')
@Controller('v1/audit')
export class AuditController {
  constructor(
    private readonly audit: AuditService,
    private readonly streams: OpenStreams,
    private readonly visits: Visits,
  ) {}

  @Get()
  @Operation({
    id: 'listAudit',
    summary: 'Who did what',
    description:
      'Every change that was asked for in this tenant, allowed or refused, newest first; filters are joined by *and*. A page may be short, or even empty, and still have a `nextPageToken`. All that the filters let through, one JSON object a line, where `Accept` prefers that, from the newest to the oldest; `pageSize` and `pageToken` count for nothing there.',
    permission: 'audit.read',
    answers: [
      {
        status: 200,
        description: 'The entries',
        content: {
          [json]: { schema: { $ref: '#/components/schemas/AuditPage' } },
          [ndjson]: { schema: { $ref: '#/components/schemas/AuditEntry' } },
        },
      },
    ],
    problems: ['not-acceptable', 'too-many-streams'],
  })
  async list(
    @Caller() caller: Principal,
    @Query({ schema: AuditQuery }) query: AuditQuery,
    @Req() request: AuthenticatedRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const type = preferredType(request.headers.accept, [json, ndjson]);
    reply.header('cache-control', 'no-store').header('vary', 'accept').header('content-type', type);
    if (type === json) return void (await reply.send(await this.audit.page(caller, query)));
    if (request.method === 'HEAD') return void (await reply.send(''));
    this.streams.open(caller, reply, this.visits.during(request, reply));
    await reply.send(Readable.from(lines(this.audit.stream(caller, query)), { highWaterMark: 1 }));
  }
}

async function* lines(parts: AsyncIterable<AuditEntry[]>): AsyncGenerator<Buffer> {
  // The headers go with it, before there is an entry.
  yield Buffer.alloc(0);
  for await (const entries of parts)
    yield Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
}
