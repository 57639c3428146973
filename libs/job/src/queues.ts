/** The task queue of the workflows, of the record and of the housekeeping. */
export const orchestratorQueue = 'perdure';

export type Tool = { name: string; version: string };
/** Without a version, any will do. */
export type WantedTool = { name: string; version?: string };

/** What a job asks of the agent that is to run it. */
export type Demand = {
  functionName: string;
  functionVersion: string;
  tool?: WantedTool;
  operatingSystem?: string;
  pool?: string;
  /** Pinned: this agent and no other. */
  agentId?: string;
};

/** What an agent offers. */
export type Offer = {
  agentId: string;
  pools: readonly string[];
  functions: readonly { name: string; version: string }[];
  tools: readonly Tool[];
  operatingSystem: string;
};

/** True when the agent is able, and allowed, to run the job. */
export function canServe(offer: Offer, demand: Demand): boolean {
  const { functionName, functionVersion, tool, operatingSystem, pool, agentId } = demand;
  return (
    (agentId === undefined || agentId === offer.agentId) &&
    (pool === undefined || offer.pools.includes(pool)) &&
    (operatingSystem === undefined || operatingSystem === offer.operatingSystem) &&
    (tool === undefined || offer.tools.some((own) => isWanted(own, tool))) &&
    offer.functions.some(({ name, version }) => name === functionName && version === functionVersion)
  );
}

function isWanted(own: Tool, { name, version }: WantedTool): boolean {
  return own.name === name && (version === undefined || own.version === version);
}

/** The agent's own queue: the stages of the jobs that it claimed. */
export function stageQueue(agentId: string): string {
  return `agent/${agentId}`;
}

/** Where jobs pinned to an agent wait. Not its stage queue: a full agent stops polling for claims, and goes on with its stages. */
export function pinnedQueue(agentId: string): string {
  return `claim/agent/${agentId}`;
}

/** The one queue that a job waits on: `claim/<pool|any>/<function>@<version>[#tool=<name>[@<version>]][#os=<name>]`. */
export function claimQueueOf(demand: Demand): string {
  if (demand.agentId !== undefined) return pinnedQueue(demand.agentId);
  const tool = demand.tool ? toolSuffix(demand.tool) : '';
  const os = demand.operatingSystem ? `#os=${demand.operatingSystem}` : '';
  return `claim/${demand.pool ?? 'any'}/${demand.functionName}@${demand.functionVersion}${tool}${os}`;
}

/** Every claim queue that an agent polls. A pool may not be named `any` or `agent`. */
export function claimQueuesServedBy(offer: Offer): string[] {
  const pools = ['any', ...offer.pools];
  const tools = [
    '',
    ...offer.tools.flatMap(({ name, version }) => [{ name }, { name, version }].map(toolSuffix)),
  ];
  const systems = ['', `#os=${offer.operatingSystem}`];
  const shared = pools.flatMap((pool) =>
    offer.functions.flatMap(({ name, version }) =>
      tools.flatMap((tool) => systems.map((os) => `claim/${pool}/${name}@${version}${tool}${os}`)),
    ),
  );
  // Two versions of one tool make its queue without a version twice.
  return [...new Set([pinnedQueue(offer.agentId), ...shared])];
}

function toolSuffix({ name, version }: WantedTool): string {
  return `#tool=${name}${version === undefined ? '' : `@${version}`}`;
}
