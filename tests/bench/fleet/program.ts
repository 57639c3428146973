/** A program of many agents that share one process and one database pool. Its argument is a `Fleet` as JSON. */
import { startAgent } from '@perdure/agent';
import { loadPack } from '@perdure/functions/packs';
import { openStorage } from '@perdure/storage';
import { openDatabase } from '@perdure/store/database';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { join } from 'node:path';
import { type Fleet, idsOf } from './spec.ts';

const given = JSON.parse(process.argv[2] ?? '') as Fleet;
// The signals are the agents' business.
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const db = openDatabase(given.databaseUrl, { applicationName: `perdure-${given.name}` });
const packs = new Map([[given.pack, await loadPack(given.pack)]]);
const storage = openStorage(given.storageUrl);
const fleet = await Promise.all(
  idsOf(given).map(async (id) => {
    // Two workers of one connection may not poll the same queue.
    const connection = await NativeConnection.connect({ address: given.temporalAddress });
    const agent = await startAgent({
      id,
      displayName: id,
      pools: given.pools,
      tools: [],
      operatingSystem: process.platform,
      slots: given.slots,
      packs,
      leaseMs: given.leaseMs,
      drainMs: 1_000,
      // As the worker has it.
      beatMs: Math.min(2_000, given.leaseMs / 3),
      fitnessMs: 5_000,
      maxFileBytes: 10 * 1024 ** 3,
      scratchRoot: join(given.home, 'scratch', id),
      softwareVersion: '0.0.0',
      connection,
      namespace: 'default',
      db,
      storage,
      warn: (message, failure) => console.warn(message, failure),
    });
    return { agent, connection };
  }),
);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => fleet.forEach(({ agent }) => void agent.drain()));
}
await Promise.all(
  fleet.map(async ({ agent, connection }) => {
    await agent.ended;
    await connection.close();
  }),
);
await db.close();
