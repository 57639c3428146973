/** The task queue of the workflows, of the record and of the housekeeping. */
export const orchestratorQueue = 'perdure';

export type Tool = { name: string; version: string };

/** What a job asks of the agent that is to run it. */
export type Demand = {
  functionName: string;
  functionVersion: string;
  tool?: Tool;
  operatingSystem?: string;
  pool?: string;
  /** Pinned: this agent and no other. */
  agentId?: string;
};

/** What an agent offers. */
export type Offer = {
  agentId: string;
  pool?: string;
  functions: readonly { name: string; version: string }[];
  tools: readonly Tool[];
  operatingSystem: string;
};

/** The agent's own queue: the stages of the jobs that it claimed. */
export function stageQueue(agentId: string): string {
  return `agent/${agentId}`;
}

/** Where jobs pinned to an agent wait. Not its stage queue: a full agent stops polling for claims, and goes on with its stages. */
export function pinnedQueue(agentId: string): string {
  return `claim/agent/${agentId}`;
}

/** The one queue that a job waits on: `claim/<pool|any>/<function>@<version>[#tool=<name>@<version>][#os=<name>]`. */
export function claimQueueOf(demand: Demand): string {
  if (demand.agentId !== undefined) return pinnedQueue(demand.agentId);
  const tool = demand.tool ? `#tool=${demand.tool.name}@${demand.tool.version}` : '';
  const os = demand.operatingSystem ? `#os=${demand.operatingSystem}` : '';
  return `claim/${demand.pool ?? 'any'}/${demand.functionName}@${demand.functionVersion}${tool}${os}`;
}

/** Every claim queue that an agent polls. A pool may not be named `any` or `agent`. */
export function claimQueuesServedBy(offer: Offer): string[] {
  const pools = offer.pool === undefined ? ['any'] : ['any', offer.pool];
  const tools = ['', ...offer.tools.map((tool) => `#tool=${tool.name}@${tool.version}`)];
  const systems = ['', `#os=${offer.operatingSystem}`];
  const shared = pools.flatMap((pool) =>
    offer.functions.flatMap(({ name, version }) =>
      tools.flatMap((tool) => systems.map((os) => `claim/${pool}/${name}@${version}${tool}${os}`)),
    ),
  );
  return [pinnedQueue(offer.agentId), ...shared];
}
