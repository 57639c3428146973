import { join } from 'node:path';
import { type Agent, startAgent } from '@perdure/agent';
import { agentIdIn } from '@perdure/agent/identity';
import { readEnvironment } from '@perdure/config/environment';
import type { WorkerConfig } from '@perdure/config/worker';
import type { FunctionDefinition } from '@perdure/functions';
import { commandFunctions } from '@perdure/functions/command';
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
  const { path: file, commands, limits, displayName, tools, operatingSystem } = agent.file;
  const packs = new Map<string, readonly FunctionDefinition[]>(
    await Promise.all(agent.packs.map(async (name) => [name, await loadPack(name)] as const)),
  ).set('command', commandFunctions(commands, { file, environment: readEnvironment() }));
  log.info(
    { agentId: id, pool: agent.pool, slots: agent.slots, packs: [...packs.keys()] },
    'the agent starts',
  );
  return startAgent({
    id,
    displayName: displayName ?? id,
    pools: agent.pool === undefined ? [] : [agent.pool],
    tools,
    operatingSystem: operatingSystem ?? process.platform,
    slots: agent.slots,
    packs,
    limits,
    leaseMs: agent.leaseSeconds * 1000,
    drainMs: agent.drainSeconds * 1000,
    beatMs: Math.min(2_000, (agent.leaseSeconds * 1000) / 3),
    fitnessMs: 5_000,
    maxFileBytes: config.limits.fileBytes,
    scratchRoot: join(home, 'scratch', id),
    softwareVersion: manifest.version,
    connection,
    namespace: temporal.namespace,
    db,
    storage,
    warn: (message, failure) => log.warn({ err: failure }, message),
  });
}
