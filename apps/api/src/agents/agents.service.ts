import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { defaultTenantId } from '@perdure/job/ids';
import type { Agent, AgentDetails } from '@perdure/job/schemas';
import { drainAgent, resumeAgent } from '@perdure/store/admin';
import { type AgentRecord, getAgent, jobsHeldBy, listAgents, lossesOf } from '@perdure/store/read';
import { Visibility } from '../access/visibility.ts';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { Kept } from '../kept.ts';

@Injectable()
export class AgentsService {
  /** For reasons to wait, which need not be of this very moment. */
  private readonly kept = new Kept<AgentRecord[]>(1_000);

  constructor(
    private readonly database: DatabaseService,
    private readonly visibility: Visibility,
  ) {}

  known(tenantId: string): Promise<AgentRecord[]> {
    return this.kept.get(tenantId, () => this.database.call(tenantId, (db) => listAgents(db, tenantId)));
  }

  async list(tenantId: string): Promise<Agent[]> {
    const agents = await this.database.call(tenantId, (db) => listAgents(db, tenantId));
    return agents.map(toAgent);
  }

  /** With the jobs that it holds, as far as the caller sees them. */
  async get(caller: Principal, id: string): Promise<AgentDetails> {
    const { tenantId } = caller;
    const agent = await this.find(tenantId, id);
    const [held, losses] = await Promise.all([
      this.database.call(tenantId, (db) => jobsHeldBy(db, id)),
      this.database.call(tenantId, (db) => lossesOf(db, id)),
    ]);
    const own = held.filter((job) => job.tenantId === tenantId);
    const jobs = (await this.visibility.jobsAmong(caller, own)).map(
      ({ id: jobId, functionName: name, functionVersion: version, status, attempt }) => ({
        id: jobId,
        function: { name, version },
        status,
        attempt,
      }),
    );
    return { ...toAgent(agent), jobs, losses };
  }

  /** What an operator wants of an agent; it learns so with its next beat. */
  async order(caller: Principal, id: string, order: 'drain' | 'resume'): Promise<Agent> {
    await this.managed(caller, id);
    // Also one of everybody's, which belongs to no tenant.
    await this.database.changeAcross(
      caller,
      (db) => (order === 'drain' ? drainAgent(db, id, caller.id) : resumeAgent(db, id)),
      () => ({ kind: 'agent', id }),
    );
    return toAgent(await this.find(caller.tenantId, id));
  }

  /** The agent, if the caller's tenant may manage it: agents that serve everybody are for the first tenant to manage. */
  async managed({ tenantId }: Principal, id: string): Promise<AgentRecord> {
    const agent = await this.find(tenantId, id);
    if (agent.tenantId === tenantId || tenantId === defaultTenantId) return agent;
    throw new PerdureError('forbidden', `Agent '${id}' serves all tenants: it is not yours to manage`);
  }

  private async find(tenantId: string, id: string): Promise<AgentRecord> {
    const agent = await this.database.call(tenantId, (db) => getAgent(db, tenantId, id));
    if (agent === undefined) throw new PerdureError('not-found', 'There is no such agent');
    return agent;
  }
}

export function toAgent({ tenantId: _internal, ...record }: AgentRecord): Agent {
  return {
    ...record,
    functions: record.functions.map(({ name, version }) => ({ name, version })),
    tools: record.tools.map(({ name, version }) => ({ name, version })),
  };
}
