import { Body, Controller, Delete, Get, Param, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { mayDo, type Permission, permissions } from '@perdure/job/permissions';
import { KeyList, KeyPath, KeyRequest, Me, NewKey } from '@perdure/job/schemas';
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
    permission: 'keys.manage',
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
    summary: 'The API keys of this tenant, newest first',
    permission: 'keys.manage',
    answers: [
      { status: 200, description: 'Without their secrets; expired and revoked ones too', schema: KeyList },
    ],
  })
  async list(@Caller() caller: Principal): Promise<KeyList> {
    return { items: await this.keys.list(caller) };
  }

  @Delete('keys/:id')
  @Operation({
    id: 'revokeKey',
    summary: 'Revoke an API key',
    description: 'It works for at most a second more. May be repeated.',
    permission: 'keys.manage',
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

  @Get('me')
  @Operation({
    id: 'getMe',
    summary: 'Who am I, and what may I do',
    permission: 'me.read',
    answers: [{ status: 200, description: 'What this key stands for', schema: Me }],
  })
  me(@Caller() { keyId, tenantId, name, role, expiresAt }: Principal): Me {
    const all = Object.keys(permissions) as Permission[];
    return { keyId, tenantId, name, role, expiresAt, permissions: all.filter((one) => mayDo(role, one)) };
  }
}
