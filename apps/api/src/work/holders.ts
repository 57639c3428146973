import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { Holding } from '@perdure/job/schemas';
import { isHeld } from '@perdure/job/status';
import { type AgentRecord, getAgent, getEvents, getJob, type JobRecord } from '@perdure/store/read';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';

/** Who holds what: an agent may touch the jobs that it holds, and no others. */
@Injectable()
export class Holders {
  constructor(private readonly database: DatabaseService) {}

  /** The agent that this key speaks for. Throws 'not-found' for another one's path, 'unknown-agent' before it has registered. */
  async agent({ tenantId, agentId }: Principal, pathId?: string): Promise<AgentRecord> {
    if (agentId === null)
      throw new PerdureError('forbidden', 'This key speaks for no agent: make one with `agentId`');
    if (pathId !== undefined && pathId !== agentId)
      throw new PerdureError('not-found', 'This key speaks for another agent');
    const agent = await this.database.call(tenantId, (db) => getAgent(db, tenantId, agentId));
    if (agent === undefined || agent.kind !== 'http')
      throw new PerdureError('unknown-agent', `Agent '${agentId}' has not registered: POST /v1/agents`);
    return agent;
  }

  /** The job, if this agent holds it in this attempt. Throws 'stale-attempt' where it did before, 'not-found' where it never has. */
  async job(agent: AgentRecord, { tenantId }: Principal, id: string, attempt: number): Promise<JobRecord> {
    const job = await this.database.call(tenantId, (db) => getJob(db, tenantId, id));
    if (job === undefined) throw new PerdureError('not-found', 'There is no such job');
    if (job.agentId === agent.id && job.attempt === attempt && isHeld(job.status)) return job;
    if (await this.everHeld(agent, job, attempt)) throw stale(job, attempt);
    throw new PerdureError('not-found', 'There is no such job');
  }

  /** The job of an attempt that this agent has completed: its first answer may have been lost. */
  async completed(
    agent: AgentRecord,
    caller: Principal,
    id: string,
    attempt: number,
  ): Promise<JobRecord | undefined> {
    const job = await this.database.call(caller.tenantId, (db) => getJob(db, caller.tenantId, id));
    const ours = job?.status === 'COMPLETED' && job.agentId === agent.id && job.attempt === attempt;
    return ours ? job : undefined;
  }

  private async everHeld(agent: AgentRecord, { tenantId, id }: JobRecord, attempt: number): Promise<boolean> {
    const events = await this.database.call(tenantId, (db) => getEvents(db, tenantId, id));
    return events.some(
      (event) => event.type === 'claimed' && event.agentId === agent.id && event.attempt === attempt,
    );
  }
}

function stale({ status, attempt: now }: JobRecord, attempt: number): PerdureError {
  const why = now > attempt ? `attempt ${now} has taken over` : `the job is ${status}`;
  return new PerdureError('stale-attempt', `Attempt ${attempt} does not hold the job: ${why}. Stop it`);
}

export function toHolding(job: JobRecord, { leaseSeconds }: AgentRecord): Holding {
  const { id, attempt, status, stop, cancelRequestedAt } = job;
  return {
    id,
    attempt,
    status,
    leaseSeconds,
    stop: stop && { kind: cancelRequestedAt === null ? 'reassign' : 'cancel', ...stop },
  };
}
