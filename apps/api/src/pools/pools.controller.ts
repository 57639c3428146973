import { Body, Controller, Delete, Get, Param, Post, Put, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Pool, PoolDetails, PoolList, PoolMemberPath, PoolPath, PoolRequest } from '@perdure/job/schemas';
import type { FastifyReply } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { PoolsService } from './pools.service.ts';

@ApiTags('pools')
@Controller('v1/pools')
export class PoolsController {
  constructor(private readonly pools: PoolsService) {}

  @Get()
  @Operation({
    id: 'listPools',
    summary: 'The pools of agents',
    permission: 'pools.read',
    answers: [{ status: 200, description: 'By name', schema: PoolList }],
  })
  async list(@Caller() caller: Principal): Promise<PoolList> {
    return { items: await this.pools.list(caller) };
  }

  @Post()
  @Operation({
    id: 'createPool',
    summary: 'Make a pool',
    description: 'Jobs may be sent to it at once. They wait until an agent is in it.',
    permission: 'pools.manage',
    answers: [{ status: 201, description: 'The pool', schema: Pool, headers: { Location: 'The pool' } }],
    problems: ['id-taken', 'payload-too-large', 'unsupported-media-type'],
  })
  async create(
    @Caller() caller: Principal,
    @Body({ schema: PoolRequest }) request: PoolRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Pool> {
    const pool = await this.pools.create(caller, request);
    reply.code(201).header('location', `/v1/pools/${pool.name}`);
    return pool;
  }

  @Get(':name')
  @Operation({
    id: 'getPool',
    summary: 'A pool, and what waits for it',
    permission: 'pools.read',
    answers: [{ status: 200, description: 'The pool', schema: PoolDetails }],
    problems: ['not-found'],
  })
  get(@Caller() caller: Principal, @Param({ schema: PoolPath }) { name }: PoolPath): Promise<PoolDetails> {
    return this.pools.describe(caller, name);
  }

  @Delete(':name')
  @Operation({
    id: 'deletePool',
    summary: 'Remove a pool in which no agent is',
    permission: 'pools.manage',
    answers: [{ status: 204, description: 'Removed' }],
    problems: ['not-found', 'transition-refused'],
  })
  async remove(
    @Caller() caller: Principal,
    @Param({ schema: PoolPath }) { name }: PoolPath,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.pools.remove(caller, name);
    reply.code(204);
  }

  @Put(':name/agents/:id')
  @Operation({
    id: 'addToPool',
    summary: 'Put an agent into a pool',
    description: 'It takes the jobs of the pool from its next beat on: two seconds later at most.',
    permission: 'pools.manage',
    answers: [{ status: 200, description: 'The pool', schema: Pool }],
    problems: ['not-found'],
  })
  add(@Caller() caller: Principal, @Param({ schema: PoolMemberPath }) path: PoolMemberPath): Promise<Pool> {
    return this.pools.put(caller, path, true);
  }

  @Delete(':name/agents/:id')
  @Operation({
    id: 'removeFromPool',
    summary: 'Take an agent out of a pool',
    description: 'A pool that the agent announces itself comes back when it starts again.',
    permission: 'pools.manage',
    answers: [{ status: 200, description: 'The pool', schema: Pool }],
    problems: ['not-found'],
  })
  take(@Caller() caller: Principal, @Param({ schema: PoolMemberPath }) path: PoolMemberPath): Promise<Pool> {
    return this.pools.put(caller, path, false);
  }
}
