import { loadWorkerConfig } from '@perdure/config/worker';
import { openStorage } from '@perdure/storage';
import { migrate, openDatabase } from '@perdure/store/database';
import { createAgent } from './agent.ts';
import { openLog } from './logging.ts';
import { namespaceGone } from './namespace.ts';
import { createOrchestrator } from './orchestrator.ts';
import { connect } from './temporal.ts';

/** The namespace is looked for so often. */
const namespaceMs = 3_000;

const config = loadWorkerConfig();
const log = openLog(config.logLevel);
const db = openDatabase(config.database.url, {
  poolSize: config.database.poolSize,
  applicationName: `perdure-${config.roles.join('-')}`,
});
await migrate(db);
const storage = openStorage(config.storage.url, config.storage.access);
const connection = await connect(config);
const gone = namespaceGone(connection, config.temporal.namespace, namespaceMs);
// Heard below; until then it is no unhandled rejection.
gone.catch(() => undefined);

const orchestrator = config.roles.includes('orchestrator')
  ? await createOrchestrator(config, db, storage, connection)
  : undefined;
const agent = config.roles.includes('agent')
  ? await createAgent(config, db, storage, connection, log)
  : undefined;

let leaving: Promise<unknown> | undefined;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // The orchestrator stays until the agent is gone: giving a job back takes a workflow that listens.
    leaving ??= Promise.resolve(agent?.drain()).finally(() => orchestrator?.shutdown());
    leaving.catch((failure: unknown) => log.error({ err: failure }, 'the worker could not leave in order'));
  });
}

log.info({ roles: config.roles, temporal: config.temporal.address }, 'the worker runs');
try {
  await Promise.race([gone, Promise.all([orchestrator?.run(), agent?.ended])]);
} catch (failure) {
  log.fatal({ err: failure }, 'the worker cannot go on');
  // What else runs here could not end in good order: half a worker is worse than one that is started again.
  process.exit(1);
}
await connection.close().catch(() => undefined);
await db.close();
