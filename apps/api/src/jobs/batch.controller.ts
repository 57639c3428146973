import { Body, Controller, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Batch, BatchRequest, SubmitQuery } from '@perdure/job/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AuditLog } from '../audit/audit-log.ts';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { problemOf } from '../http/problem.ts';
import { BatchService, type Outcome } from './batch.service.ts';
import { idempotencyHeader, idempotencyKey } from './idempotency-key.ts';
import { fromRecord } from './job-answer.ts';
import { JobsService } from './jobs.service.ts';

@ApiTags('jobs')
@Controller('v1')
export class BatchController {
  constructor(
    private readonly batches: BatchService,
    private readonly jobs: JobsService,
    private readonly audit: AuditLog,
  ) {}

  @Post('jobs::batch')
  @Operation({
    id: 'submitJobs',
    summary: 'Submit up to 1,000 jobs',
    description:
      'Each request is answered as a submit of its own would be: its status, and the job or the problem, whose pointers lead into that request. A bad one does not stop the others. An answer other than 207 concerns them all, and nothing was stored. `Prefer` has no effect here.',
    permission: 'jobs.submit',
    headers: {
      'Idempotency-Key': idempotencyHeader(
        'A repeat of the same batch answers with the jobs of the first, and submits anew what was refused then; kept for 24 hours at least',
      ),
    },
    answers: [{ status: 207, description: 'One answer for each request, in their order', schema: Batch }],
    problems: ['payload-too-large', 'unsupported-media-type', 'idempotency-key-reused', 'request-in-flight'],
  })
  async submit(
    @Caller() caller: Principal,
    @Body({ schema: BatchRequest }) { requests }: BatchRequest,
    @Query({ schema: SubmitQuery }) { validateOnly = false }: SubmitQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Batch> {
    const key = idempotencyKey(request.headers['idempotency-key']);
    const outcomes = await this.batches.submit(caller, requests, { key, validateOnly });
    reply.code(207);
    return {
      items: await Promise.all(outcomes.map((outcome) => this.itemOf(outcome, caller, request))),
    };
  }

  private async itemOf(
    outcome: Outcome,
    caller: Principal,
    request: FastifyRequest,
  ): Promise<Batch['items'][number]> {
    if ('validated' in outcome) return { status: 200, ...outcome };
    if ('job' in outcome)
      return { status: outcome.created ? 201 : 200, job: await this.jobs.answer(fromRecord(outcome.job)) };
    this.audit.refused(caller, outcome.error);
    const problem = problemOf(outcome.error, request);
    if (problem.status === 500) request.log.error({ err: outcome.error }, 'a request of a batch failed');
    return { status: problem.status, problem };
  }
}
