/** Agents of one process. */
export type FleetRequest = {
  name: string;
  agents: number;
  pools: readonly string[];
  /** The name of a pack, or the URL of a module that exports `functions`. */
  pack: string;
  /** Of each agent. */
  slots: number;
  leaseMs: number;
};

export type Fleet = FleetRequest & {
  databaseUrl: string;
  temporalAddress: string;
  storageUrl: string;
  /** A folder for scratch folders. */
  home: string;
};

export function idsOf({ name, agents }: Pick<FleetRequest, 'name' | 'agents'>): string[] {
  return Array.from({ length: agents }, (_, index) => `${name}-${index + 1}`);
}
