import { Injectable } from '@nestjs/common';
import { canServe, claimQueueOf } from '@perdure/job/queues';
import type { WaitingReason } from '@perdure/job/schemas';
import { type AgentRecord, type WaitingJob } from '@perdure/store/read';
import { noteWaitingReason } from '@perdure/store/report';
import { isDeepStrictEqual } from 'node:util';
import { AgentsService } from '../agents/agents.service.ts';
import { demandOf, offerOf, takesJobs } from '../agents/offers.ts';
import { DatabaseService } from '../database/database.service.ts';
import { Backlogs } from '../temporal/backlogs.ts';

/** A job that waits for less is on its way. */
const soonMs = 10_000;

/** Says why a PENDING job waits, from what agents have announced and from Temporal's description of its queue. Agents are read once for all who ask. */
@Injectable()
export class WaitingReasons {
  constructor(
    private readonly agents: AgentsService,
    private readonly backlogs: Backlogs,
    private readonly database: DatabaseService,
  ) {}

  /** Why a job waits; and its revision, raised where it waits for another reason than when last seen. */
  async note(job: WaitingJob): Promise<{ reason: WaitingReason | null; revision: number }> {
    const reason = await this.of(job, true);
    const kept = withoutBacklog(reason);
    if (job.status !== 'PENDING' || isDeepStrictEqual(kept, job.waitingReason))
      return { reason, revision: job.revision };
    const revision = await this.database.call(job.tenantId, (db) => noteWaitingReason(db, job, kept));
    return { reason, revision: revision ?? job.revision };
  }

  /** `backlog`: whether Temporal is to be asked as well; not for each job of a list. */
  async of(job: WaitingJob, backlog = false): Promise<WaitingReason | null> {
    if (job.status !== 'PENDING') return null;
    const demand = demandOf(job);
    const known = await this.agents.known(job.tenantId);
    const reason = reasonAmong(known, job);
    if (!backlog) return reason;
    const suspected = reason ?? notPolled(known, job);
    if (suspected?.kind !== 'all-busy' && suspected?.kind !== 'not-polled') return suspected;
    const seen = await this.backlogs.of(claimQueueOf(demand));
    if (suspected.kind === 'not-polled') return seen?.pollers === 0 ? suspected : null;
    return { ...suspected, backlog: seen && { jobs: seen.jobs, oldestSeconds: seen.oldestSeconds } };
  }
}

/** Somebody should have it: so it would be, if Temporal sees nobody ask. In its first moments that means nothing. */
function notPolled(known: readonly AgentRecord[], job: WaitingJob): WaitingReason | null {
  const able = known.filter((agent) => takesJobs(agent) && canServe(offerOf(agent), demandOf(job)));
  const waitedMs = Date.now() - Date.parse(job.queuedAt ?? job.createdAt);
  const askThemselves = able.some(({ kind }) => kind === 'http');
  return waitedMs < soonMs || askThemselves ? null : { kind: 'not-polled', agents: able.length };
}

function reasonAmong(known: readonly AgentRecord[], job: WaitingJob): WaitingReason | null {
  const { pool, assignedAgentId } = job;
  const able = known.filter((agent) => canServe(offerOf(agent), demandOf(job)));
  const online = able.filter(({ status }) => status !== 'offline');
  const taking = online.filter(takesJobs);
  if (assignedAgentId !== null && online.length === 0)
    return { kind: 'agent-offline', agentId: assignedAgentId };
  if (assignedAgentId === null && pool !== null && !known.some(({ pools }) => pools.includes(pool)))
    return { kind: 'pool-empty', pool };
  if (online.length === 0) return { kind: 'no-agent-serves' };
  if (taking.length === 0) return { kind: 'draining', agents: online.length };
  const full = taking.every(({ busy, slots }) => busy >= slots);
  return full ? { kind: 'all-busy', agents: taking.length, backlog: null } : null;
}

/** How long the queue is changes all the time, and is no change of the job. */
function withoutBacklog(reason: WaitingReason | null): WaitingReason | null {
  return reason?.kind === 'all-busy' ? { ...reason, backlog: null } : reason;
}
