import { Body, Controller, Delete, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { KeyPage, KeyPath, KeyQuery, KeyRequest, NewKey } from '@perdure/job/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { requireMatch } from '../http/conditional.ts';
import { header } from '../http/headers.ts';
import { Operation } from '../http/operation.ts';
import { KeysService } from './keys.service.ts';

@ApiTags('keys')
@Controller('v1')
export class KeysController {
  constructor(private readonly keys: KeysService) {}

  @Post('keys')
  @Operation({
    id: 'createKey',
    summary: 'Make an API key',
    description:
      'For oneself; admins, also for another user or for an agent. To change a key, make the next one, and revoke the old one once nobody uses it: see `lastUsedAt`.',
    permission: 'keys.use',
    answers: [{ status: 201, description: 'The key. Its secret is shown this once', schema: NewKey }],
    problems: ['payload-too-large', 'unsupported-media-type'],
  })
  create(
    @Caller() caller: Principal,
    @Body({ schema: KeyRequest }) body: KeyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NewKey> {
    reply.code(201).header('cache-control', 'no-store');
    return this.keys.create(caller, body);
  }

  @Get('keys')
  @Operation({
    id: 'listKeys',
    summary: 'API keys, newest first',
    description: 'One’s own; to admins, all of the tenant.',
    permission: 'keys.use',
    answers: [
      { status: 200, description: 'Without their secrets; expired and revoked ones too', schema: KeyPage },
    ],
  })
  list(@Caller() caller: Principal, @Query({ schema: KeyQuery }) query: KeyQuery): Promise<KeyPage> {
    return this.keys.list(caller, query);
  }

  @Delete('keys/:id')
  @Operation({
    id: 'revokeKey',
    summary: 'Revoke an API key',
    description: 'It works for at most a second more. May be repeated.',
    permission: 'keys.use',
    answers: [{ status: 204, description: 'Revoked' }],
    problems: ['not-found', 'precondition-failed'],
  })
  async revoke(
    @Caller() caller: Principal,
    @Param({ schema: KeyPath }) { id }: KeyPath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    requireMatch(header(request.headers, 'if-match'), undefined);
    await this.keys.revoke(caller, id);
    reply.code(204);
  }
}
