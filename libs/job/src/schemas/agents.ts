import { z } from 'zod';
import { agentId, functionName, moment, poolName, systemName, text, tool, version } from './pieces.ts';
import { AnsweredStatus } from './job.ts';

const offeredFunction = z.strictObject({ name: functionName, version });
const slots = z.int().min(1).max(1_000).describe('How many jobs it runs at once');
const when = (what: string) => moment.nullable().describe(what);

export const Agent = z
  .strictObject({
    id: agentId,
    displayName: z.string(),
    kind: z.enum(['native', 'http']).describe('`http` agents claim and report through this API'),
    status: z
      .enum(['idle', 'busy', 'draining', 'offline'])
      .describe('`draining`: finishes what it has and takes nothing new. `offline`: silent for too long'),
    pools: z.array(poolName).describe('What it says it belongs to, and where operators have put it'),
    functions: z.array(offeredFunction),
    tools: z.array(tool),
    operatingSystem: z.string(),
    slots,
    busy: z.int().describe('How many jobs it has now'),
    softwareVersion: z.string(),
    leaseSeconds: z.number().describe('A job of which it says nothing for so long is lost to it'),
    startedAt: moment,
    lastBeatAt: moment.describe('When it was last heard of'),
    lastClaimAt: when('When it last took a job'),
    drainRequestedAt: when('When an operator asked it to take no more jobs'),
    drainRequestedBy: z.string().nullable(),
  })
  .meta({ id: 'Agent', description: 'Someone who runs jobs' });
export type Agent = z.output<typeof Agent>;

const HeldJob = z.strictObject({
  id: z.string(),
  function: z.strictObject({ name: functionName, version: version.nullable() }),
  status: AnsweredStatus,
  attempt: z.int(),
});

export const AgentDetails = Agent.extend({
  jobs: z.array(HeldJob).describe('What it has now; of other tenants only the number counts, in `busy`'),
  losses: z.int().describe('How often it lost a job: it fell silent, or had no room to work'),
}).meta({ id: 'AgentDetails', description: 'An agent and what it does' });
export type AgentDetails = z.output<typeof AgentDetails>;

export const AgentList = z
  .strictObject({ items: z.array(Agent) })
  .meta({ id: 'AgentList', description: 'The agents that were heard of in the last seven days' });
export type AgentList = z.output<typeof AgentList>;

export const AgentPath = z.strictObject({ id: agentId });
export type AgentPath = z.output<typeof AgentPath>;

export const AgentRequest = z
  .strictObject({
    id: agentId.optional().describe('The id; that of the key without it'),
    displayName: text(200).optional().describe('The id without it'),
    pools: z.array(poolName).max(50).optional(),
    functions: z
      .array(offeredFunction)
      .min(1)
      .max(1_000)
      .describe('What it can run; each must be in GET /v1/functions'),
    tools: z.array(tool).max(200).optional(),
    operatingSystem: systemName.optional().describe('`other` without it'),
    slots: slots.optional().describe('How many jobs it runs at once; 1 without it'),
    softwareVersion: text(100).optional(),
    leaseSeconds: z
      .int()
      .min(1)
      .max(3_600)
      .optional()
      .describe('A job of which it says nothing for so long goes to another agent; 60 without it'),
  })
  .meta({
    id: 'AgentRequest',
    description: 'What an HTTP agent says of itself',
    examples: [
      { functions: [{ name: 'echo', version: '1.0.0' }], operatingSystem: 'linux', slots: 2 },
      { id: 'workbench-1', functions: [{ name: 'echo', version: '1.0.0' }] },
    ],
  });
export type AgentRequest = z.output<typeof AgentRequest>;

export const Pool = z
  .strictObject({
    name: poolName,
    description: z.string().nullable(),
    agents: z.array(agentId),
    createdBy: z.string().nullable().describe('Null: agents announced it'),
    createdAt: moment,
  })
  .meta({ id: 'Pool', description: 'A named group of agents' });
export type Pool = z.output<typeof Pool>;

const Backlog = z.strictObject({
  queue: z.string().describe('The task queue in Temporal on which these jobs wait'),
  jobs: z.int().describe('How many jobs wait, as Temporal estimates it'),
  oldestSeconds: z.number().describe('How long the oldest has waited'),
  pollers: z.int().describe('How many agents ask for jobs there'),
});

export const PoolDetails = Pool.extend({
  pending: z.int().describe('Your jobs that wait for this pool'),
  backlog: z
    .array(Backlog)
    .nullable()
    .describe(
      'What Temporal says of the queues that your jobs wait on and its agents serve; null: it did not answer',
    ),
}).meta({ id: 'PoolDetails', description: 'A pool, and what waits for it' });
export type PoolDetails = z.output<typeof PoolDetails>;

export const PoolList = z.strictObject({ items: z.array(Pool) }).meta({ id: 'PoolList' });
export type PoolList = z.output<typeof PoolList>;

export const PoolRequest = z.strictObject({ name: poolName, description: text(1_000).optional() }).meta({
  id: 'PoolRequest',
  description: 'A new pool',
  examples: [{ name: 'gpu', description: 'Machines with a GPU' }],
});
export type PoolRequest = z.output<typeof PoolRequest>;

export const PoolPath = z.strictObject({ name: poolName });
export type PoolPath = z.output<typeof PoolPath>;

export const PoolMemberPath = z.strictObject({ name: poolName, id: agentId });
export type PoolMemberPath = z.output<typeof PoolMemberPath>;
