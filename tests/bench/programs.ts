import { readEnvironment } from '@perdure/config/environment';
import getPort from 'get-port';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { apiProgram } from '../../apps/local/src/api-build.ts';
import { type Child, howItEnded, startChild } from '../../apps/local/src/child.ts';
import { root } from '../../apps/local/src/folders.ts';
import { noteProcess } from '../../apps/local/src/ledger.ts';
import { sendSignal } from '../../apps/local/src/signals.ts';
import type { EmbeddedAgent } from '../support/embedded-agent.ts';
import { waitFor } from '../support/wait.ts';
import type { Fleet, FleetRequest } from './fleet/spec.ts';
import { type Http, openHttp } from './http.ts';
import type { Servers } from './servers.ts';

/** Jobs that an agent holds at once. */
export const agentSlots = 64;

export type RunningApi = { child: Child; http: Http; origin: string; key: string };

export type Programs = {
  startApi(name: string, databaseUrl: string, more?: NodeJS.ProcessEnv): Promise<RunningApi>;
  startOrchestrator(databaseUrl: string): Promise<Child>;
  startAgent(databaseUrl: string): Promise<Child>;
  /** The agent that brings the pack of the benchmark. */
  startBenchAgent(databaseUrl: string): Promise<Child>;
  startBare(part: 'orchestrator' | 'agent'): Promise<Child>;
  /** A server with one route, `/jobs/<id>`, which reads a row and sends it. */
  startOneRow(databaseUrl: string): Promise<Http>;
  /** A server with one route, `/file`, which pipes a body to a file and back; its origin. */
  startBareFiles(): Promise<string>;
  startFleet(databaseUrl: string, fleet: FleetRequest): Promise<Child>;
  /** Ends one of them in good order, before the others. */
  end(child: Child): Promise<void>;
  /** Takes one of them away, as a crash would. */
  kill(child: Child): Promise<void>;
  /** Ends all, those started last first. */
  stop(): Promise<void>;
  /** Rejects as soon as one of them ends by itself. */
  failed: Promise<never>;
};

/** The real processes of Perdure, and those of the bare workflow, one as quiet as the other. */
export function openPrograms(servers: Servers, cpuProfiles: string | undefined): Programs {
  const started: { child: Child; close?: () => void }[] = [];
  /** These may end before the others. */
  const leaving = new Set<Child>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  let stopping = false;

  async function start(
    name: string,
    file: string,
    args: string[],
    settings: NodeJS.ProcessEnv,
  ): Promise<Child> {
    const lines: string[] = [];
    // A folder for each process: its threads, such as the one that runs the workflows, write profiles of their own.
    const profile =
      cpuProfiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(cpuProfiles, name)}`];
    const child = await startChild(
      {
        name,
        command: process.execPath,
        args: [...profile, file, ...args],
        env: { ...inherited(), ...settings },
        cwd: root,
      },
      (line) => {
        lines.push(line);
        if (lines.length > 20) lines.shift();
      },
    );
    await noteProcess(servers.runFolder, name, child.pid);
    void child.exited.then((exit) => {
      if (!stopping && !leaving.has(child))
        failed.reject(new Error(`${name} ended ${howItEnded(exit)}:\n${lines.join('\n')}`));
    });
    started.push({ child });
    return child;
  }

  const folders = { storageUrl: `file:${join(servers.folder, 'storage')}`, home: servers.folder };

  function settings(databaseUrl: string): NodeJS.ProcessEnv {
    return {
      LOG_LEVEL: 'warn',
      DATABASE_URL: databaseUrl,
      STORAGE_URL: folders.storageUrl,
      TEMPORAL_ADDRESS: servers.temporalAddress,
      PERDURE_HOME: folders.home,
    };
  }

  const bench = (file: string): string => join(import.meta.dirname, file);
  const worker = (name: string, databaseUrl: string, more: NodeJS.ProcessEnv): Promise<Child> =>
    start(name, join(root, 'apps', 'worker', 'src', 'main.ts'), [], { ...settings(databaseUrl), ...more });

  return {
    failed: failed.promise,
    async startApi(name, databaseUrl, more = {}) {
      const port = await getPort();
      // There is one admin key a database: a second API on it needs that of the first.
      const key = more['PERDURE_ADMIN_KEY'] ?? randomBytes(24).toString('hex');
      const child = await start(name, apiProgram, [], {
        ...settings(databaseUrl),
        ...more,
        PORT: String(port),
        PERDURE_ADMIN_KEY: key,
        // Counted as ever, and never reached: all load comes with one key.
        RATE_LIMIT_PER_KEY: '1000000000',
        RATE_LIMIT_PER_TENANT: '1000000000',
      });
      const origin = `http://127.0.0.1:${port}`;
      const http = openHttp(origin, key);
      started.push({ child, close: http.close });
      const ready = waitFor(() => http.get('/livez'), { timeoutMs: 60_000, what: `${name} to answer` });
      await Promise.race([ready, failed.promise]);
      return { child, http, origin, key };
    },
    startOrchestrator: (url) => worker('orchestrator', url, { WORKER_ROLES: 'orchestrator' }),
    startAgent: (url) =>
      worker('agent', url, {
        WORKER_ROLES: 'agent',
        AGENT_ID: 'agent',
        AGENT_SLOTS: String(agentSlots),
        AGENT_PACKS: 'reference',
        DRAIN_SECONDS: '1',
      }),
    startBenchAgent: (databaseUrl) =>
      start(
        'bench-agent',
        join(root, 'tests', 'support', 'embedded-agent.ts'),
        [
          JSON.stringify({
            id: 'bench-agent',
            databaseUrl,
            temporalAddress: servers.temporalAddress,
            temporalNamespace: 'default',
            ...folders,
            pack: import.meta.resolve('./packs/all-stages.ts'),
            slots: agentSlots,
            leaseMs: 15_000,
          } satisfies EmbeddedAgent),
        ],
        {},
      ),
    startBare: (part) => start(`bare-${part}`, bench(`bare/${part}.ts`), [servers.temporalAddress], {}),
    async startOneRow(databaseUrl) {
      const port = String(await getPort());
      const child = await start('one-row', bench('bare/one-row.ts'), [databaseUrl, port], {});
      const http = openHttp(`http://127.0.0.1:${port}`, '');
      started.push({ child, close: http.close });
      await waitFor(() => http.get('/jobs/none'), { timeoutMs: 60_000, what: 'the bare server to answer' });
      return http;
    },
    async startBareFiles() {
      const port = String(await getPort());
      await start('bare-files', bench('bare/files.ts'), [join(servers.folder, 'bare-file'), port], {});
      const origin = `http://127.0.0.1:${port}`;
      await waitFor(() => fetch(origin), { timeoutMs: 60_000, what: 'the bare server to answer' });
      return origin;
    },
    startFleet(databaseUrl, fleet) {
      const given: Fleet = { ...fleet, ...folders, databaseUrl, temporalAddress: servers.temporalAddress };
      return start(fleet.name, bench('fleet/program.ts'), [JSON.stringify(given)], {});
    },
    async end(child) {
      leaving.add(child);
      await child.stop(10_000);
    },
    async kill(child) {
      leaving.add(child);
      sendSignal(child.pid, 'SIGKILL');
      await child.exited;
    },
    async stop() {
      stopping = true;
      for (const { close } of started) close?.();
      await Promise.all(started.map(({ child }) => child.stop(10_000)));
    },
  };
}

/** Without the settings of another Perdure or of another Temporal server. */
function inherited(): NodeJS.ProcessEnv {
  const foreign = /^(PERDURE_|TEMPORAL_|DATABASE_|STORAGE_|AGENT_|WORKER_)/;
  return Object.fromEntries(Object.entries(readEnvironment()).filter(([name]) => !foreign.test(name)));
}
