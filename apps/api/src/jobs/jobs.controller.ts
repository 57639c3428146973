import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import {
  CancelRequest,
  History,
  Job,
  JobPath,
  JobRequest,
  ReassignRequest,
  SubmitQuery,
  Validated,
} from '@perdure/job/schemas';
import { isTerminal } from '@perdure/job/status';
import type { FastifyReply } from 'fastify';
import { mustStillBeLetIn, Visits } from '../access/visits.ts';
import { type AuthenticatedRequest, Caller, type Principal } from '../http/caller.ts';
import { matchesNone } from '../http/conditional.ts';
import { header } from '../http/headers.ts';
import { Operation } from '../http/operation.ts';
import { preferredWait } from '../http/prefer.ts';
import { ControlService } from './control.service.ts';
import { idempotencyHeader, idempotencyKey } from './idempotency-key.ts';
import { etagOf, fromRecord, recordedTag, retryAfter, type Seen } from './job-answer.ts';
import { JobsService } from './jobs.service.ts';
import { SubmitService } from './submit.service.ts';

const preferWait =
  'wait=N: answer only when something has changed, after N seconds (60 at most) at the latest';
const ifMatch = 'Do it only if the job still has this ETag';
const jobHeaders = {
  ETag: 'The revision of the job',
  'Retry-After': 'Seconds until it is worth asking again; not once the job has ended',
};

@ApiTags('jobs')
@Controller('v1/jobs')
export class JobsController {
  constructor(
    private readonly jobs: JobsService,
    private readonly submits: SubmitService,
    private readonly control: ControlService,
    private readonly visits: Visits,
  ) {}

  @Post()
  @Operation({
    id: 'submitJob',
    summary: 'Submit a job',
    description:
      'Everything cheap is checked first. Once this answers 201, the job will reach a terminal state, whatever process dies meanwhile.',
    permission: 'jobs.submit',
    headers: {
      'Idempotency-Key': idempotencyHeader(
        'A repeat with the same key and body answers with the job of the first request; kept for 24 hours at least',
      ),
      Prefer: 'wait=N: answer when the job has ended, after N seconds (60 at most) at the latest',
    },
    answers: [
      { status: 201, description: 'The job', schema: Job, headers: { ...jobHeaders, Location: 'The job' } },
      {
        status: 200,
        description: 'A repeat: the job of the first request. With `validateOnly`: it would be accepted',
        schema: Job.or(Validated),
      },
    ],
    problems: [
      'payload-too-large',
      'unsupported-media-type',
      'unknown-function',
      'unknown-pool',
      'unknown-agent',
      'incapable-agent',
      'unknown-file',
      'invalid-parameters',
      'idempotency-key-reused',
      'id-taken',
      'request-in-flight',
    ],
  })
  async submit(
    @Caller() caller: Principal,
    @Body({ schema: JobRequest }) body: JobRequest,
    @Query({ schema: SubmitQuery }) query: SubmitQuery,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job | Validated> {
    const key = idempotencyKey(request.headers['idempotency-key']);
    if (body.validateOnly === true || query.validateOnly === true) {
      reply.code(200);
      return this.submits.validate(caller, body);
    }
    const { job, created } = await this.submits.submit(caller, body, key);
    reply.code(created ? 201 : 200).header('location', `/v1/jobs/${job.id}`);
    const wait = preferredWait(request.headers.prefer);
    if (wait === undefined) return this.send(reply, fromRecord(job));
    reply.header('preference-applied', `wait=${wait}`);
    const final = await this.jobs.waitUntil(caller, job.id, {
      ms: wait * 1_000,
      gone: this.visits.during(request, reply),
      enough: () => false,
    });
    return this.send(reply, fromRecord(final));
  }

  @Get(':id(^[^:/]+)')
  @Operation({
    id: 'getJob',
    summary: 'Read a job',
    description:
      'Answers 200 whatever became of the job; its failure is data. While it runs, the workflow itself is asked, and the record answers where the workflow cannot in time: see `source` and `asOf`.',
    permission: 'jobs.read',
    headers: { 'If-None-Match': 'The ETag of before: 304 if nothing has changed', Prefer: preferWait },
    answers: [
      { status: 200, description: 'The job', schema: Job, headers: jobHeaders },
      { status: 304, description: 'Nothing has changed' },
    ],
    problems: ['not-found', 'gone'],
  })
  async get(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job | undefined> {
    const known = request.headers['if-none-match'];
    const wait = preferredWait(request.headers.prefer);
    if (wait !== undefined) {
      const gone = this.visits.during(request, reply);
      return this.wait(caller, id, { wait, known, gone, reply });
    }
    if (known !== undefined) {
      const now = await this.jobs.revision(caller, id);
      const isKnown = (revision: number) => matchesNone(known, recordedTag(revision));
      if (isKnown(now.revision) && isKnown(await this.jobs.settledRevision(now)))
        return this.unchanged(reply, now);
    }
    return this.send(reply, await this.jobs.newest(caller, await this.jobs.record(caller, id)), known);
  }

  @Post(':id(^[^:/]+)::cancel')
  @ApiBody({ required: false, schema: { $ref: '#/components/schemas/CancelRequest' } })
  @Operation({
    id: 'cancelJob',
    summary: 'Cancel a job',
    description:
      'Asks the agent to stop, gives the function its grace time, and then gives up on it. May be repeated.',
    permission: 'jobs.cancel',
    headers: { 'If-Match': ifMatch },
    answers: [
      {
        status: 202,
        description: 'Asked for; see `cancelRequestedAt` and `status`',
        schema: Job,
        headers: jobHeaders,
      },
      {
        status: 200,
        description: 'The job had ended before: nothing was changed',
        schema: Job,
        headers: jobHeaders,
      },
    ],
    problems: [
      'not-found',
      'gone',
      'precondition-failed',
      'transition-refused',
      'payload-too-large',
      'unsupported-media-type',
    ],
  })
  async cancel(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Body({ schema: CancelRequest }) body: CancelRequest,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job> {
    const seen = await this.control.cancel(caller, id, body, header(request.headers, 'if-match'));
    reply.code(isTerminal(seen.status) ? 200 : 202);
    return this.send(reply, seen);
  }

  @Post(':id(^[^:/]+)::reassign')
  @Operation({
    id: 'reassignJob',
    summary: 'Take a job from its agent and give it to another',
    description: 'In any state before UPLOADING.',
    permission: 'jobs.reassign',
    headers: { 'If-Match': ifMatch },
    answers: [{ status: 202, description: 'Asked for; see the history', schema: Job, headers: jobHeaders }],
    problems: [
      'not-found',
      'gone',
      'precondition-failed',
      'transition-refused',
      'unknown-pool',
      'unknown-agent',
      'incapable-agent',
      'payload-too-large',
      'unsupported-media-type',
    ],
  })
  async reassign(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Body({ schema: ReassignRequest }) body: ReassignRequest,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job> {
    const seen = await this.control.reassign(caller, id, body, header(request.headers, 'if-match'));
    reply.code(202);
    return this.send(reply, seen);
  }

  @Get(':id(^[^:/]+)/history')
  @Operation({
    id: 'getHistory',
    summary: 'All that happened to a job',
    permission: 'jobs.read',
    answers: [{ status: 200, description: 'The events, oldest first', schema: History }],
    problems: ['not-found', 'gone'],
  })
  history(@Caller() caller: Principal, @Param({ schema: JobPath }) { id }: JobPath): Promise<History> {
    return this.jobs.history(caller, id);
  }

  /** A long poll: no thread and no call to Temporal, one query for all who wait for the same job. */
  private async wait(
    caller: Principal,
    id: string,
    asked: { wait: number; known: string | undefined; gone: AbortSignal; reply: FastifyReply },
  ): Promise<Job | undefined> {
    const { wait, known, gone, reply } = asked;
    reply.header('preference-applied', `wait=${wait}`);
    let first: number | undefined;
    const record = await this.jobs.waitUntil(caller, id, {
      ms: wait * 1_000,
      gone,
      enough: ({ revision }) => {
        first ??= revision;
        return known === undefined ? revision > first : !matchesNone(known, recordedTag(revision));
      },
    });
    mustStillBeLetIn(gone);
    return this.send(reply, fromRecord(record), known);
  }

  private async send(reply: FastifyReply, found: Seen): Promise<Job>;
  private async send(reply: FastifyReply, found: Seen, known: string | undefined): Promise<Job | undefined>;
  private async send(reply: FastifyReply, found: Seen, known?: string): Promise<Job | undefined> {
    const seen = await this.jobs.settled(found);
    if (matchesNone(known, etagOf(seen))) return this.unchanged(reply, seen.record);
    this.head(reply, etagOf(seen), retryAfter({ status: seen.status, createdAt: seen.record.createdAt }));
    return this.jobs.answer(seen);
  }

  private unchanged(
    reply: FastifyReply,
    now: Parameters<typeof retryAfter>[0] & { revision: number },
  ): undefined {
    this.head(reply.code(304), recordedTag(now.revision), retryAfter(now));
    return undefined;
  }

  private head(reply: FastifyReply, etag: string, retry: string | undefined): void {
    reply.header('etag', etag).header('cache-control', 'private, no-cache');
    if (retry !== undefined) reply.header('retry-after', retry);
  }
}
