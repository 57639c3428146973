import { readEnvironment } from '@perdure/config/environment';
import type { LocalConfig } from '@perdure/config/local';
import { join } from 'node:path';
import { apiProgram } from './api-build.ts';
import { startChild } from './child.ts';
import { type Home, root } from './folders.ts';
import { noteProcess } from './ledger.ts';
import type { Output } from './output.ts';
import type { Ports, ServerAddresses } from './servers.ts';
import type { Service } from './supervisor.ts';

type Context = {
  config: LocalConfig;
  home: Home;
  ports: Ports;
  servers: ServerAddresses;
  adminKey: string;
  output: Output;
};

const workerProgram = join(root, 'apps', 'worker', 'src', 'main.ts');

/** The programs of Perdure itself, ready to be supervised. Their times to end add up, with the servers', to less than ten seconds. */
export function programsOf(context: Context): { api: Service; orchestrator: Service; agent: Service } {
  const { config, ports, adminKey } = context;
  const api = { HOST: config.host, PORT: String(ports.api), PERDURE_ADMIN_KEY: adminKey };
  return {
    api: program(context, 'api', apiProgram, api, 4_500),
    orchestrator: program(context, 'orchestrator', workerProgram, { WORKER_ROLES: 'orchestrator' }, 2_500),
    // Running jobs are given back after three seconds, and go on at the next start.
    agent: program(context, 'agent', workerProgram, { WORKER_ROLES: 'agent', DRAIN_SECONDS: '3' }, 4_500),
  };
}

function program(
  context: Context,
  name: string,
  file: string,
  settings: NodeJS.ProcessEnv,
  graceMs: number,
): Service {
  const env = { ...environmentFor(context), ...settings };
  return {
    name,
    graceMs,
    async start() {
      const spec = { name, command: process.execPath, args: ['--enable-source-maps', file], env, cwd: root };
      const child = await startChild(spec, (line) => context.output.line(name, line));
      await noteProcess(context.home.run, name, child.pid);
      return child;
    },
  };
}

function environmentFor({ config, home, servers }: Context): NodeJS.ProcessEnv {
  // Only the API needs the admin key.
  const { PERDURE_ADMIN_KEY: _key, ...inherited } = readEnvironment();
  return {
    // Every request and every claim would be a line; LOG_LEVEL=info shows them.
    LOG_LEVEL: 'warn',
    ...(config.temporal.address === undefined ? withoutSecurity(inherited) : inherited),
    PERDURE_HOME: home.folder,
    DATABASE_URL: servers.databaseUrl,
    STORAGE_URL: config.storageUrl,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    TEMPORAL_NAMESPACE: config.temporal.namespace,
    ...(servers.temporalUiUrl === undefined ? {} : { TEMPORAL_UI_URL: servers.temporalUiUrl }),
  };
}

/** Our own Temporal server speaks neither TLS nor API keys; such settings are meant for another one. */
function withoutSecurity(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isSecurity = (name: string): boolean =>
    name === 'TEMPORAL_API_KEY' || name.startsWith('TEMPORAL_TLS_');
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isSecurity(name)));
}
