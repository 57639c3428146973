import { Controller, Get, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Agent, AgentList, AgentPath } from '@perdure/job/schemas';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { AgentsService } from './agents.service.ts';

@ApiTags('agents')
@Controller('v1/agents')
export class AgentsController {
  constructor(private readonly agents: AgentsService) {}

  @Get()
  @Operation({
    id: 'listAgents',
    summary: 'Who runs jobs',
    permission: 'agents.read',
    answers: [{ status: 200, description: 'Every agent, offline ones too', schema: AgentList }],
  })
  async list(@Caller() { tenantId }: Principal): Promise<AgentList> {
    return { items: await this.agents.list(tenantId) };
  }

  @Get(':id')
  @Operation({
    id: 'getAgent',
    summary: 'One agent',
    permission: 'agents.read',
    answers: [{ status: 200, description: 'The agent', schema: Agent }],
    problems: ['not-found'],
  })
  get(@Caller() { tenantId }: Principal, @Param({ schema: AgentPath }) { id }: AgentPath): Promise<Agent> {
    return this.agents.get(tenantId, id);
  }
}
