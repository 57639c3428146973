import { Body, Controller, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import {
  AgentPath,
  Assignment,
  BeatRequest,
  ClaimRequest,
  CompleteRequest,
  FailRequest,
  GiveBackRequest,
  Holding,
  Job,
  JobPath,
  Orders,
  ReportRequest,
} from '@perdure/job/schemas';
import type { FastifyReply } from 'fastify';
import { mustStillBeLetIn, Visits } from '../access/visits.ts';
import { type AuthenticatedRequest, Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { BeatsService } from './beats.service.ts';
import { ClaimsService } from './claims.service.ts';
import { EndingsService } from './endings.service.ts';
import { ReportsService } from './reports.service.ts';

const body = ['payload-too-large', 'unsupported-media-type'] as const;
const held = ['not-found', 'unknown-agent', 'stale-attempt', 'transition-refused', ...body] as const;

/** What HTTP agents do: beat, claim, report, and end. */
@ApiTags('work')
@Controller('v1')
export class WorkController {
  constructor(
    private readonly beats: BeatsService,
    private readonly claims: ClaimsService,
    private readonly reports: ReportsService,
    private readonly endings: EndingsService,
    private readonly visits: Visits,
  ) {}

  @Put('agents/:id/beat')
  @ApiBody({ required: false, schema: { $ref: '#/components/schemas/BeatRequest' } })
  @Operation({
    id: 'beatAgent',
    summary: 'Say that the agent lives',
    description:
      'Renews the lease of the jobs named, and tells what is wanted of the agent and of each of them.',
    permission: 'jobs.work',
    answers: [{ status: 200, description: 'What is wanted', schema: Orders }],
    problems: ['not-found', 'unknown-agent', ...body],
  })
  beat(
    @Caller() caller: Principal,
    @Param({ schema: AgentPath }) { id }: AgentPath,
    @Body({ schema: BeatRequest }) request: BeatRequest,
  ): Promise<Orders> {
    return this.beats.beat(caller, id, request);
  }

  @Post('agents/:id/claim')
  @ApiBody({ required: false, schema: { $ref: '#/components/schemas/ClaimRequest' } })
  @Operation({
    id: 'claimJob',
    summary: 'Take a job',
    description:
      'Answers with a job that fits the agent as soon as there is one. The job is lost to the agent when nothing is heard of it for the lease time.',
    permission: 'jobs.work',
    answers: [
      { status: 200, description: 'The job, and all that is needed to run it', schema: Assignment },
      { status: 204, description: 'No job came in time, or the agent drains or has no free slot' },
    ],
    problems: [
      'not-found',
      'unknown-agent',
      'incapable-agent',
      'agent-not-ready',
      'transition-refused',
      ...body,
    ],
  })
  async claim(
    @Caller() caller: Principal,
    @Param({ schema: AgentPath }) { id }: AgentPath,
    @Body({ schema: ClaimRequest }) body: ClaimRequest,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Assignment | undefined> {
    const gone = this.visits.during(request, reply);
    const assignment = await this.claims.claim(caller, id, body, gone);
    // What it has by now it may still have: it is lost with the lease.
    if (assignment === undefined) mustStillBeLetIn(gone);
    reply.code(assignment === undefined ? 204 : 200).header('cache-control', 'no-store');
    return assignment;
  }

  @Post('jobs/:id(^[^:/]+)/reports')
  @Operation({
    id: 'reportJob',
    summary: 'Say how a job gets on',
    description: 'Renews the lease. The answer tells of a cancel or a reassign.',
    permission: 'jobs.work',
    answers: [{ status: 200, description: 'How the job stands', schema: Holding }],
    problems: held,
  })
  async report(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Body({ schema: ReportRequest }) request: ReportRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Holding> {
    reply.code(200);
    return this.reports.report(caller, id, request);
  }

  @Post('jobs/:id(^[^:/]+)::complete')
  @Operation({
    id: 'completeJob',
    summary: 'Hand over the result of a job',
    description: 'The files that the attempt has uploaded become files of the job. May be repeated.',
    permission: 'jobs.work',
    answers: [{ status: 200, description: 'The job', schema: Job }],
    problems: held,
  })
  async complete(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Body({ schema: CompleteRequest }) request: CompleteRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job> {
    reply.code(200);
    return this.endings.complete(caller, id, request);
  }

  @Post('jobs/:id(^[^:/]+)::fail')
  @Operation({
    id: 'failJob',
    summary: 'Say that a job cannot be done',
    permission: 'jobs.work',
    answers: [{ status: 200, description: 'The job', schema: Job }],
    problems: held,
  })
  async fail(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Body({ schema: FailRequest }) request: FailRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job> {
    reply.code(200);
    return this.endings.fail(caller, id, request);
  }

  @Post('jobs/:id(^[^:/]+)::giveBack')
  @Operation({
    id: 'giveBackJob',
    summary: 'Let go of a job',
    description: 'Another agent takes it. To a job that is to stop this is the acknowledgement.',
    permission: 'jobs.work',
    answers: [{ status: 200, description: 'The job', schema: Job }],
    problems: held,
  })
  async giveBack(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Body({ schema: GiveBackRequest }) request: GiveBackRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job> {
    reply.code(200);
    return this.endings.giveBack(caller, id, request);
  }
}
