import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { Tool } from '@perdure/job/queues';
import type { Agent } from '@perdure/job/schemas';
import { type AgentRecord, getAgent, listAgents } from '@perdure/store/read';
import { DatabaseService } from '../database/database.service.ts';
import { Kept } from '../kept.ts';

/** What a job asks of the agent that is to run it, as the record has it. */
export type Wanted = {
  functionName: string;
  functionVersion: string | null;
  pool: string | null;
  tool: Tool | null;
  operatingSystem: string | null;
};

/** The housekeeping calls silent agents offline; this tells it a little sooner. */
const silentMs = 60_000;

@Injectable()
export class AgentsService {
  /** For reasons to wait, which need not be of this very moment. */
  private readonly kept = new Kept<AgentRecord[]>(1_000);

  constructor(private readonly database: DatabaseService) {}

  known(tenantId: string): Promise<AgentRecord[]> {
    return this.kept.get(tenantId, () => this.database.call((db) => listAgents(db, tenantId)));
  }

  async list(tenantId: string): Promise<Agent[]> {
    const agents = await this.database.call((db) => listAgents(db, tenantId));
    return agents.map(toAgent);
  }

  async get(tenantId: string, id: string): Promise<Agent> {
    const agent = await this.database.call((db) => getAgent(db, tenantId, id));
    if (agent === undefined) throw new PerdureError('not-found', 'There is no such agent');
    return toAgent(agent);
  }
}

export function isOnline({ status, lastBeatAt }: AgentRecord): boolean {
  return (status === 'idle' || status === 'busy') && Date.now() - Date.parse(lastBeatAt) < silentMs;
}

/** True when the agent could run it, were it online and free. */
export function offers(agent: AgentRecord, wanted: Wanted): boolean {
  const { functionName, functionVersion, pool, tool, operatingSystem } = wanted;
  return (
    (pool === null || agent.pool === pool) &&
    (operatingSystem === null || agent.operatingSystem === operatingSystem) &&
    (tool === null ||
      agent.tools.some(({ name, version }) => name === tool.name && version === tool.version)) &&
    agent.functions.some(
      ({ name, version }) =>
        name === functionName && (functionVersion === null || version === functionVersion),
    )
  );
}

function toAgent(record: AgentRecord): Agent {
  const {
    id,
    displayName,
    status,
    pool,
    functions,
    tools,
    operatingSystem,
    slots,
    busy,
    softwareVersion,
    startedAt,
    lastBeatAt,
  } = record;
  return {
    id,
    displayName,
    status,
    pool,
    functions: functions.map(({ name, version }) => ({ name, version })),
    tools: tools.map(({ name, version }) => ({ name, version })),
    operatingSystem,
    slots,
    busy,
    softwareVersion,
    startedAt,
    lastBeatAt,
  };
}
