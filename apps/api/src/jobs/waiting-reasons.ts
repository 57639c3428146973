import { Injectable } from '@nestjs/common';
import type { WaitingReason } from '@perdure/job/schemas';
import type { JobRecord } from '@perdure/store/read';
import { AgentsService, isOnline, offers } from '../agents/agents.service.ts';

/** Says why a PENDING job waits, from what agents have announced. The list of agents is read once for all who ask. */
@Injectable()
export class WaitingReasons {
  constructor(private readonly agents: AgentsService) {}

  async of(job: JobRecord): Promise<WaitingReason | null> {
    if (job.status !== 'PENDING') return null;
    const online = (await this.agents.known(job.tenantId)).filter(isOnline);
    if (job.assignedAgentId !== null) {
      const agentId = job.assignedAgentId;
      const agent = online.find(({ id }) => id === agentId);
      if (agent === undefined) return { kind: 'agent-offline', agentId };
      return agent.busy >= agent.slots ? { kind: 'all-busy', agents: 1 } : null;
    }
    const able = online.filter((agent) => offers(agent, job));
    if (able.length === 0) return { kind: 'no-agent-serves' };
    return able.every(({ busy, slots }) => busy >= slots) ? { kind: 'all-busy', agents: able.length } : null;
  }
}
