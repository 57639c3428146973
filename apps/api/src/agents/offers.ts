import type { Demand, Offer } from '@perdure/job/queues';
import type { AgentRecord, JobRecord } from '@perdure/store/read';

/** An agent of the registry, as the rules of `libs/job` know it. */
export function offerOf({ id, pools, functions, tools, operatingSystem }: AgentRecord): Offer {
  return { agentId: id, pools, functions, tools, operatingSystem };
}

type Asked = Pick<
  JobRecord,
  'functionName' | 'functionVersion' | 'tool' | 'operatingSystem' | 'pool' | 'assignedAgentId'
>;

/** What a job of the record asks for now: a reassign may have changed its pool or its agent. */
export function demandOf(job: Asked): Demand {
  return {
    functionName: job.functionName,
    functionVersion: job.functionVersion ?? '',
    tool: job.tool ?? undefined,
    operatingSystem: job.operatingSystem ?? undefined,
    // A pin counts for more than a pool.
    pool: job.assignedAgentId === null ? (job.pool ?? undefined) : undefined,
    agentId: job.assignedAgentId ?? undefined,
  };
}

/** True when the agent takes jobs now, if it has a slot. */
export function takesJobs({ status, drainRequestedAt }: AgentRecord): boolean {
  return (status === 'idle' || status === 'busy') && drainRequestedAt === null;
}
