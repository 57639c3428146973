import { Body, Controller, Get, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { PageQuery, User, UserPage, UserPatch, UserPath, UserRequest } from '@perdure/job/schemas';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { header } from '../http/headers.ts';
import { Operation } from '../http/operation.ts';
import { UsersService, userTag } from './users.service.ts';

const headers = { ETag: 'The revision of the user' };
const body = ['payload-too-large', 'unsupported-media-type'] as const;

@ApiTags('users')
@Controller('v1/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Post()
  @Operation({
    id: 'createUser',
    summary: 'Make a user',
    description:
      'A person, or a service account. It can do something once it has a key: `POST /v1/keys`; or, a person, with a token of the identity provider that has this e-mail address.',
    permission: 'users.manage',
    answers: [
      { status: 201, description: 'The user', schema: User, headers: { ...headers, Location: 'The user' } },
    ],
    problems: ['id-taken', ...body],
  })
  async create(
    @Caller() caller: Principal,
    @Body({ schema: UserRequest }) request: UserRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<User> {
    const user = await this.users.create(caller, request);
    reply.code(201).header('location', `/v1/users/${user.id}`).header('etag', userTag(user));
    return user;
  }

  @Get()
  @Operation({
    id: 'listUsers',
    summary: 'The users of this tenant, newest first',
    permission: 'users.read',
    answers: [{ status: 200, description: 'Disabled ones too', schema: UserPage }],
  })
  list(@Caller() caller: Principal, @Query({ schema: PageQuery }) query: PageQuery): Promise<UserPage> {
    return this.users.list(caller, query);
  }

  @Get(':id')
  @Operation({
    id: 'getUser',
    summary: 'A user',
    permission: 'users.read',
    answers: [{ status: 200, description: 'The user', schema: User, headers }],
    problems: ['not-found'],
  })
  async get(
    @Caller() caller: Principal,
    @Param({ schema: UserPath }) { id }: UserPath,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<User> {
    const user = await this.users.get(caller, id);
    reply.header('etag', userTag(user));
    return user;
  }

  @Patch(':id')
  @Operation({
    id: 'changeUser',
    summary: 'Rename, promote, demote, disable or enable a user',
    description: 'Its keys and tokens follow within a second. The last admin of a tenant stays one.',
    permission: 'users.manage',
    headers: { 'If-Match': 'Do it only if the user still has this ETag' },
    answers: [{ status: 200, description: 'The user', schema: User, headers }],
    problems: ['not-found', 'precondition-failed', 'last-admin', 'managed-elsewhere', ...body],
  })
  async change(
    @Caller() caller: Principal,
    @Param({ schema: UserPath }) { id }: UserPath,
    @Body({ schema: UserPatch }) patch: UserPatch,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<User> {
    const user = await this.users.change(caller, id, patch, header(request.headers, 'if-match'));
    reply.header('etag', userTag(user));
    return user;
  }
}
