import { Body, Controller, Delete, Get, Param, Put, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AccessEntry, AccessList, FileAccessPath, FilePath, ShareRequest } from '@perdure/job/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { requireMatch } from '../http/conditional.ts';
import { header } from '../http/headers.ts';
import { Operation } from '../http/operation.ts';
import { SharingService } from './sharing.service.ts';

const problems = ['not-found', 'precondition-failed'] as const;

@ApiTags('files')
@Controller('v1/files')
export class FileAccessController {
  constructor(private readonly sharing: SharingService) {}

  @Get(':id/access')
  @Operation({
    id: 'getFileAccess',
    summary: 'Who has access to a file',
    permission: 'access.read',
    answers: [{ status: 200, description: 'The owner first', schema: AccessList }],
    problems: ['not-found'],
  })
  list(@Caller() caller: Principal, @Param({ schema: FilePath }) { id }: FilePath): Promise<AccessList> {
    return this.sharing.list(caller, { kind: 'file', id });
  }

  @Put(':id/access')
  @Operation({
    id: 'shareFile',
    summary: 'Give a user access to a file',
    description:
      'Or another access than before. To run jobs with it takes no more than to read it. May be repeated.',
    permission: 'access.change',
    answers: [{ status: 200, description: 'What the user may do now', schema: AccessEntry }],
    problems: [...problems, 'payload-too-large', 'unsupported-media-type'],
  })
  share(
    @Caller() caller: Principal,
    @Param({ schema: FilePath }) { id }: FilePath,
    @Body({ schema: ShareRequest }) body: ShareRequest,
    @Req() request: FastifyRequest,
  ): Promise<AccessEntry> {
    requireMatch(header(request.headers, 'if-match'), undefined);
    return this.sharing.put(caller, { kind: 'file', id }, body);
  }

  @Delete(':id/access/:userId')
  @Operation({
    id: 'unshareFile',
    summary: 'Take access to a file away from a user',
    description: 'May be repeated.',
    permission: 'access.change',
    answers: [{ status: 204, description: 'The user has none' }],
    problems,
  })
  async unshare(
    @Caller() caller: Principal,
    @Param({ schema: FileAccessPath }) { id, userId }: FileAccessPath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    requireMatch(header(request.headers, 'if-match'), undefined);
    await this.sharing.remove(caller, { kind: 'file', id }, userId);
    reply.code(204);
  }
}
