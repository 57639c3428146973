import { join } from 'node:path';
import { type Agent, startAgent } from '@perdure/agent';
import { agentIdIn } from '@perdure/agent/identity';
import type { WorkerConfig } from '@perdure/config/worker';
import { loadPack } from '@perdure/functions/packs';
import type { Storage } from '@perdure/storage';
import type { Database } from '@perdure/store/database';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import manifest from '../package.json' with { type: 'json' };

/** The role that claims and runs jobs. */
export async function createAgent(
  config: WorkerConfig,
  db: Database,
  storage: Storage,
  connection: NativeConnection,
  log: Logger,
): Promise<Agent> {
  const { agent, home, temporal } = config;
  const id = agent.id ?? (await agentIdIn(home));
  const packs = new Map(
    await Promise.all(agent.packs.map(async (name) => [name, await loadPack(name)] as const)),
  );
  log.info({ agentId: id, pool: agent.pool, slots: agent.slots, packs: agent.packs }, 'the agent starts');
  return startAgent({
    id,
    pool: agent.pool,
    slots: agent.slots,
    packs,
    leaseMs: agent.leaseSeconds * 1000,
    drainMs: agent.drainSeconds * 1000,
    beatMs: Math.min(5_000, (agent.leaseSeconds * 1000) / 3),
    scratchRoot: join(home, 'scratch', id),
    softwareVersion: manifest.version,
    connection,
    namespace: temporal.namespace,
    db,
    storage,
    warn: (message, failure) => log.warn({ err: failure }, message),
  });
}
