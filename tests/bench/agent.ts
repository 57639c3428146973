import { startAgent } from '@perdure/agent';
import { loadPack } from '@perdure/functions/packs';
import { openStorage } from '@perdure/storage';
import { openDatabase } from '@perdure/store/database';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { join } from 'node:path';

/** A program that embeds an agent, to bring a pack of its own. Takes the addresses, a folder, and how many jobs it holds at once. */
const [databaseUrl = '', address = '', home = '', slots = '64'] = process.argv.slice(2);
const pack = import.meta.resolve('./packs/all-stages.ts');
// The signals are the agent's business.
Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
const connection = await NativeConnection.connect({ address });
const db = openDatabase(databaseUrl, { applicationName: 'perdure-bench-agent' });
const agent = await startAgent({
  id: 'bench-agent',
  pool: undefined,
  slots: Number(slots),
  packs: new Map([[pack, await loadPack(pack)]]),
  leaseMs: 15_000,
  drainMs: 1_000,
  beatMs: 5_000,
  scratchRoot: join(home, 'scratch'),
  softwareVersion: '0.0.0',
  connection,
  namespace: 'default',
  db,
  storage: openStorage(`file:${join(home, 'storage')}`),
  warn: (message, failure) => console.warn(message, failure),
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void agent.drain());
await agent.ended;
await connection.close();
await db.close();
