/** A program that embeds an agent, to bring functions of its own. Its argument is an `EmbeddedAgent` as JSON. */
import { startAgent } from '@perdure/agent';
import { loadPack } from '@perdure/functions/packs';
import { openStorage } from '@perdure/storage';
import { openDatabase } from '@perdure/store/database';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { join } from 'node:path';

export type EmbeddedAgent = {
  id: string;
  databaseUrl: string;
  temporalAddress: string;
  temporalNamespace: string;
  storageUrl: string;
  /** A folder for scratch folders. */
  home: string;
  /** The URL of a module that exports `functions`. */
  pack: string;
  pools?: string[];
  slots: number;
  leaseMs: number;
  limits?: { memoryMiB: number; scratchMiB: number };
};

const given = JSON.parse(process.argv[2] ?? '') as EmbeddedAgent;
// The signals are the agent's business.
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const connection = await NativeConnection.connect({ address: given.temporalAddress });
const db = openDatabase(given.databaseUrl, { applicationName: `perdure-${given.id}` });
const agent = await startAgent({
  id: given.id,
  displayName: given.id,
  pools: given.pools ?? [],
  tools: [],
  operatingSystem: process.platform,
  slots: given.slots,
  packs: new Map([[given.pack, await loadPack(given.pack)]]),
  limits: given.limits ?? {},
  leaseMs: given.leaseMs,
  drainMs: 1_000,
  beatMs: 1_000,
  fitnessMs: 1_000,
  maxFileBytes: 10 * 1024 ** 3,
  scratchRoot: join(given.home, 'scratch', given.id),
  softwareVersion: '0.0.0',
  connection,
  namespace: given.temporalNamespace,
  db,
  storage: openStorage(given.storageUrl),
  warn: (message, failure) => console.warn(message, failure),
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void agent.drain());
console.log('the worker runs');
await agent.ended;
await connection.close();
await db.close();
