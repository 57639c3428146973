import { Body, Controller, Get, Param, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Agent, AgentDetails, AgentList, AgentPath, AgentRequest } from '@perdure/job/schemas';
import type { FastifyReply } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { AgentsService } from './agents.service.ts';
import { RegistrationService } from './registration.service.ts';

@ApiTags('agents')
@Controller('v1/agents')
export class AgentsController {
  constructor(
    private readonly agents: AgentsService,
    private readonly registration: RegistrationService,
  ) {}

  @Get()
  @Operation({
    id: 'listAgents',
    summary: 'Who runs jobs',
    permission: 'agents.read',
    answers: [{ status: 200, description: 'Every agent heard of in the last seven days', schema: AgentList }],
  })
  async list(@Caller() { tenantId }: Principal): Promise<AgentList> {
    return { items: await this.agents.list(tenantId) };
  }

  @Post()
  @Operation({
    id: 'registerAgent',
    summary: 'Register an HTTP agent',
    description:
      'A second time writes over what was said before. Agents that run Perdure register themselves.',
    permission: 'agents.register',
    answers: [{ status: 200, description: 'The agent', schema: Agent }],
    problems: ['unknown-function', 'id-taken', 'payload-too-large', 'unsupported-media-type'],
  })
  register(
    @Caller() caller: Principal,
    @Body({ schema: AgentRequest }) request: AgentRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Agent> {
    reply.code(200);
    return this.registration.register(caller, request);
  }

  @Get(':id(^[^:/]+)')
  @Operation({
    id: 'getAgent',
    summary: 'One agent, and what it does',
    permission: 'agents.read',
    answers: [{ status: 200, description: 'The agent', schema: AgentDetails }],
    problems: ['not-found'],
  })
  get(@Caller() caller: Principal, @Param({ schema: AgentPath }) { id }: AgentPath): Promise<AgentDetails> {
    return this.agents.get(caller, id);
  }

  @Post(':id(^[^:/]+)::drain')
  @Operation({
    id: 'drainAgent',
    summary: 'Let an agent take no more jobs',
    description:
      'It finishes what it has, and is `draining` from its next beat on: two seconds later at most. May be repeated.',
    permission: 'agents.manage',
    answers: [{ status: 202, description: 'The agent', schema: Agent }],
    problems: ['not-found'],
  })
  drain(
    @Caller() caller: Principal,
    @Param({ schema: AgentPath }) { id }: AgentPath,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Agent> {
    reply.code(202);
    return this.agents.order(caller, id, 'drain');
  }

  @Post(':id(^[^:/]+)::resume')
  @Operation({
    id: 'resumeAgent',
    summary: 'Let an agent take jobs again',
    permission: 'agents.manage',
    answers: [{ status: 202, description: 'The agent', schema: Agent }],
    problems: ['not-found'],
  })
  resume(
    @Caller() caller: Principal,
    @Param({ schema: AgentPath }) { id }: AgentPath,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Agent> {
    reply.code(202);
    return this.agents.order(caller, id, 'resume');
  }
}
