import { Body, Controller, Delete, Get, Param, Put, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AccessEntry, AccessList, JobAccessPath, JobPath, ShareRequest } from '@perdure/job/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { requireMatch } from '../http/conditional.ts';
import { header } from '../http/headers.ts';
import { Operation } from '../http/operation.ts';
import { SharingService } from './sharing.service.ts';

const problems = ['not-found', 'gone', 'precondition-failed'] as const;

@ApiTags('jobs')
@Controller('v1/jobs')
export class JobAccessController {
  constructor(private readonly sharing: SharingService) {}

  @Get(':id(^[^:/]+)/access')
  @Operation({
    id: 'getJobAccess',
    summary: 'Who has access to a job',
    permission: 'access.read',
    answers: [{ status: 200, description: 'The owner first', schema: AccessList }],
    problems: ['not-found', 'gone'],
  })
  list(@Caller() caller: Principal, @Param({ schema: JobPath }) { id }: JobPath): Promise<AccessList> {
    return this.sharing.list(caller, { kind: 'job', id });
  }

  @Put(':id(^[^:/]+)/access')
  @Operation({
    id: 'shareJob',
    summary: 'Give a user access to a job',
    description:
      'Or another access than before. The files of its result go with it; those among its parameters do not. May be repeated.',
    permission: 'access.change',
    answers: [{ status: 200, description: 'What the user may do now', schema: AccessEntry }],
    problems: [...problems, 'payload-too-large', 'unsupported-media-type'],
  })
  share(
    @Caller() caller: Principal,
    @Param({ schema: JobPath }) { id }: JobPath,
    @Body({ schema: ShareRequest }) body: ShareRequest,
    @Req() request: FastifyRequest,
  ): Promise<AccessEntry> {
    requireMatch(header(request.headers, 'if-match'), undefined);
    return this.sharing.put(caller, { kind: 'job', id }, body);
  }

  @Delete(':id(^[^:/]+)/access/:userId')
  @Operation({
    id: 'unshareJob',
    summary: 'Take access to a job away from a user',
    description: 'What follows the job for that user ends. May be repeated.',
    permission: 'access.change',
    answers: [{ status: 204, description: 'The user has none' }],
    problems,
  })
  async unshare(
    @Caller() caller: Principal,
    @Param({ schema: JobAccessPath }) { id, userId }: JobAccessPath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    requireMatch(header(request.headers, 'if-match'), undefined);
    await this.sharing.remove(caller, { kind: 'job', id }, userId);
    reply.code(204);
  }
}
