import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { JobPath } from '@perdure/job/schemas';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { Visits } from '../access/visits.ts';
import { preferredType } from '../http/accept.ts';
import { type AuthenticatedRequest, Caller, type Principal } from '../http/caller.ts';
import { header } from '../http/headers.ts';
import { Operation } from '../http/operation.ts';
import { JobEventsService } from './job-events.service.ts';
import { OpenStreams } from './open-streams.ts';
import { TenantEventsService } from './tenant-events.service.ts';

const eventStream = 'text/event-stream';
/** A message as the HTML standard has it; `data` is text that holds JSON. */
const message = {
  type: 'object',
  required: ['data'],
  properties: {
    id: { type: 'string' },
    event: { enum: ['history', 'job'] },
    data: {
      type: 'string',
      contentMediaType: 'application/json',
      contentSchema: {
        anyOf: [{ $ref: '#/components/schemas/StreamedEvent' }, { $ref: '#/components/schemas/JobSummary' }],
      },
    },
  },
};
const content = { [eventStream]: { schema: message } };
const lastEventId = (pattern: string) => ({
  description: 'The id of the last message that was read: the stream goes on after it, without gap or repeat',
  schema: { type: 'string', pattern },
});

@ApiTags('events')
@Controller('v1')
export class EventsController {
  constructor(
    private readonly streams: OpenStreams,
    private readonly visits: Visits,
    private readonly ofJobs: JobEventsService,
    private readonly ofTenants: TenantEventsService,
  ) {}

  @Get('jobs/:id(^[^:/]+)/events')
  @Operation({
    id: 'streamJobEvents',
    summary: 'Follow a job',
    description:
      'Server-sent events. `history`: an event of the history, from the first on. `job`: the job without parameters and output, where something else has changed, such as its progress. The id of a message is the revision of the job after it. Ends when the job has ended.',
    permission: 'jobs.read',
    headers: { 'Last-Event-ID': lastEventId('^[0-9]{1,9}$') },
    answers: [
      { status: 200, description: 'The stream', content },
      { status: 204, description: 'The job has ended, and nothing comes after the `Last-Event-ID`' },
    ],
    problems: ['not-found', 'gone', 'not-acceptable', 'too-many-streams'],
  })
  async ofJob(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Req() request: AuthenticatedRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    preferredType(request.headers.accept, [eventStream]);
    const after = await this.ofJobs.resume(caller, id, header(request.headers, 'last-event-id'));
    if (after === undefined) return void (await reply.code(204).send());
    await this.stream(caller, request, reply, (gone) => this.ofJobs.follow(caller, id, after, gone));
  }

  @Get('events')
  @Operation({
    id: 'streamEvents',
    summary: 'Follow all jobs',
    description:
      'Server-sent events: `history` messages of all jobs of the tenant from now on, or from the `Last-Event-ID` on. Those of one job come in the order of their revisions, unless several processes wrote them at the same moment. Does not end by itself.',
    permission: 'jobs.all',
    headers: { 'Last-Event-ID': lastEventId('^[0-9]{1,19}-[0-9]{1,9}-[A-Za-z0-9_.-]{0,128}$') },
    answers: [{ status: 200, description: 'The stream', content }],
    problems: ['not-acceptable', 'too-many-streams'],
  })
  async ofTenant(
    @Caller() caller: Principal,
    @Req() request: AuthenticatedRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    preferredType(request.headers.accept, [eventStream]);
    const after = await this.ofTenants.resume(header(request.headers, 'last-event-id'));
    await this.stream(caller, request, reply, (gone) => this.ofTenants.follow(caller, after, gone));
  }

  private async stream(
    caller: Principal,
    request: AuthenticatedRequest,
    reply: FastifyReply,
    follow: (gone: AbortSignal) => AsyncGenerator<string>,
  ): Promise<void> {
    reply.header('content-type', eventStream).header('cache-control', 'no-store');
    // nginx would keep back what is not much.
    reply.header('x-accel-buffering', 'no');
    if (request.method === 'HEAD') return void (await reply.send(''));
    const gone = this.visits.during(request, reply);
    this.streams.open(caller, reply, gone);
    await reply.send(Readable.from(follow(gone), { highWaterMark: 1 }));
  }
}
