import type { FunctionDefinition } from '@perdure/functions';
import type { Offer, Tool } from '@perdure/job/queues';

/** The functions that this agent can run, each with the pack that it comes from. */
export function packsOf(agent: {
  packs: ReadonlyMap<string, readonly FunctionDefinition[]>;
  operatingSystem: string;
}): Map<FunctionDefinition, string> {
  const runsHere = ({ operatingSystems }: FunctionDefinition) =>
    operatingSystems.length === 0 || operatingSystems.includes(agent.operatingSystem);
  const all = [...agent.packs].flatMap(([pack, definitions]) =>
    definitions.filter(runsHere).map((definition) => [definition, pack] as const),
  );
  return new Map(all);
}

/** What this agent offers when it starts. */
export function offerOf(
  agent: { id: string; pools: readonly string[]; tools: readonly Tool[]; operatingSystem: string },
  definitions: readonly FunctionDefinition[],
): Offer {
  const { id, pools, tools, operatingSystem } = agent;
  // What a function needs is there where the function is.
  const all = [...tools, ...definitions.flatMap(({ tool }) => tool ?? [])];
  const distinct = new Map(all.map((tool) => [`${tool.name}@${tool.version}`, tool]));
  return {
    agentId: id,
    pools: [...pools].sort(),
    functions: definitions.map(({ name, version }) => ({ name, version })),
    tools: [...distinct.values()],
    operatingSystem,
  };
}
