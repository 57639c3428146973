import type { LocalConfig } from '@perdure/config/local';
import { readEnvironment } from '@perdure/config/environment';
import pg from 'pg';
import { programCache } from './cache.ts';
import type { Home } from './folders.ts';
import type { Output } from './output.ts';
import { startPostgres } from './postgres.ts';
import type { Step } from './steps.ts';
import { type Supervised, supervise } from './supervisor.ts';
import { findTemporalProgram } from './temporal-program.ts';
import { startTemporalServer } from './temporal-server.ts';

export type Ports = { api: number; postgres: number; temporal: number; temporalUi: number };

/** What the API and the workers are told about the servers. */
export type ServerAddresses = { databaseUrl: string; temporalAddress: string; temporalUiUrl?: string };

type Context = {
  config: LocalConfig;
  home: Home;
  ports: Ports;
  output: Output;
  /** Called with each server as soon as it runs, so that it is ended whatever comes after. */
  onStarted(server: Supervised): void;
};

const graceMs = 2_500;
const databaseName = 'perdure';

/** The steps that bring up what the configuration does not name, and where everything is once they are done. */
export function serverSteps(context: Context): { steps: Step[]; addresses(): ServerAddresses } {
  const { config, ports } = context;
  const own = { databaseUrl: '' };
  const steps: Step[] = [];
  if (config.database.url === undefined) {
    steps.push({
      title: 'PostgreSQL',
      run: async (_say, signal) => void (own.databaseUrl = await bringUpPostgres(context, signal)),
    });
  }
  if (config.temporal.address === undefined) {
    steps.push({ title: 'Temporal server', run: (say, signal) => bringUpTemporal(context, say, signal) });
  }
  return {
    steps,
    addresses: () => ({
      databaseUrl: config.database.url ?? own.databaseUrl,
      ...(config.temporal.address === undefined
        ? {
            temporalAddress: `127.0.0.1:${ports.temporal}`,
            temporalUiUrl: `http://127.0.0.1:${ports.temporalUi}`,
          }
        : { temporalAddress: config.temporal.address }),
    }),
  };
}

async function bringUpPostgres(
  { home, ports, output, onStarted }: Context,
  signal: AbortSignal,
): Promise<string> {
  let url = '';
  const start = async () => {
    const onLine = (line: string): void => output.line('postgres', line);
    const server = await startPostgres({
      folder: home.postgres,
      port: ports.postgres,
      runFolder: home.run,
      signal,
      onLine,
    });
    await ensureDatabase(server.url('postgres')).catch(async (error: unknown) => {
      await server.stop(graceMs);
      throw error;
    });
    url = server.url(databaseName);
    return server.child;
  };
  onStarted(await supervise({ name: 'postgres', start, graceMs }, output.say));
  return url;
}

async function ensureDatabase(serverUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${databaseName}`);
  } finally {
    await client.end();
  }
}

async function bringUpTemporal(
  context: Context,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { config, home, ports, output, onStarted } = context;
  const path = readEnvironment()['PATH'] ?? '';
  const program = await findTemporalProgram({ path, cache: programCache(), onStep: say, signal });
  say(`starting ${program}`);
  const start = async () => {
    const server = await startTemporalServer({
      program,
      port: ports.temporal,
      uiPort: ports.temporalUi,
      databaseFile: home.temporalDatabase,
      namespace: config.temporal.namespace,
      runFolder: home.run,
      signal,
      onLine: (line) => output.line('temporal', line),
    });
    return server.child;
  };
  onStarted(await supervise({ name: 'temporal', start, graceMs }, output.say));
}
