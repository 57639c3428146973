import { afterAll, beforeAll, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import getPort from 'get-port';
import pg from 'pg';
import { withDeadline } from '../../../apps/api/src/deadline.ts';
import { apiProgram, buildApi } from '../../../apps/local/src/api-build.ts';
import { root } from '../../../apps/local/src/folders.ts';
import type { EmbeddedAgent } from '../../support/embedded-agent.ts';
import { placeForServers } from '../../support/servers.ts';
import { temporalProgram } from '../../support/temporal.ts';
import { waitFor } from '../../support/wait.ts';
import { filledCompileCache } from './compiled.ts';
import { type JobsClient, jobsClient } from './jobs-client.ts';
import { type Program, type ProgramSpec, startProgram } from './program.ts';
import type { Addresses, Servers } from './servers.ts';

const execute = promisify(execFile);

type Place = Awaited<ReturnType<typeof placeForServers>>;
type Settings = Record<string, string>;

/** An API process and a client that calls it. Both stay good when the process is killed and started again on its port. */
export type Api = JobsClient & { program(): Program; startAgain(): Promise<void> };

/** Perdure as real processes around one database and one Temporal namespace. */
export type House = {
  readonly addresses: Addresses;
  /** `prefix`: a command that starts it. */
  startApi(settings?: Settings, prefix?: readonly string[]): Promise<Api>;
  startOrchestrator(settings?: Settings): Promise<Program>;
  /** An agent that is ready to claim. Its id is its name. `prefix`: a command that starts it. */
  startAgent(settings?: Settings, prefix?: readonly string[]): Promise<Program>;
  /** An agent that brings functions of its own: those that the module of this URL exports. */
  startEmbeddedAgent(pack: string, some?: Partial<EmbeddedAgent>): Promise<Program>;
  /** Another program, started with `command`, that knows of nothing but its settings. */
  startProgram(name: string, command: string, file: string, settings: Settings): Promise<Program>;
  /** Looks into the database. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<{ rows: Row[] }>;
  /** Writes a file into a folder of this house, and answers its path. */
  file(name: string, text: string): Promise<string>;
  /** So many agents of the pool `standing`: those that live from an earlier test, and new ones. */
  standingAgents(count: number): Promise<Program[]>;
  /** Runs the Temporal CLI as an operator would. */
  operator(...args: string[]): Promise<string>;
  /** Runs another program of this repository to its end, and answers what it wrote. */
  run(file: string, ...args: string[]): Promise<string>;
};

export type Closing = { close(): Promise<void>; said(): string };

const embeddedAgent = join(root, 'tests', 'support', 'embedded-agent.ts');
const workerProgram = join(root, 'apps', 'worker', 'src', 'main.ts');

/** Short, so that tests need not wait long for an agent to count as lost. */
const leaseSeconds = '2';

export async function openHouse(place: Place, servers: Servers): Promise<House & Closing> {
  const { folder, runFolder, clean } = place;
  const { addresses } = servers;
  const key = `pk_${randomBytes(24).toString('base64url')}`;
  const programs: Program[] = [];
  let standing: Program[] = [];
  await buildApi();

  const environment: Settings = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    NODE_COMPILE_CACHE: await filledCompileCache(),
    LOG_LEVEL: 'info',
    DATABASE_URL: addresses.databaseUrl,
    STORAGE_URL: `file:${join(folder, 'storage')}`,
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    TEMPORAL_NAMESPACE: addresses.temporalNamespace,
    PERDURE_HOME: join(folder, 'home'),
  };

  async function start(
    name: string,
    file: string,
    settings: Settings,
    more: Pick<ProgramSpec, 'args' | 'prefix'> = {},
  ): Promise<Program> {
    const program = await startProgram({
      name,
      file,
      env: { ...environment, ...settings },
      runFolder,
      ...more,
    });
    programs.push(program);
    return program;
  }

  async function startWorker(name: string, settings: Settings, prefix?: readonly string[]): Promise<Program> {
    const worker = await start(name, workerProgram, settings, prefix && { prefix });
    await worker.untilSays('the worker runs');
    return worker;
  }

  function startAgent(settings: Settings, prefix?: readonly string[]): Promise<Program> {
    const id = settings['AGENT_ID'] ?? `agent-${randomBytes(3).toString('hex')}`;
    const env = {
      WORKER_ROLES: 'agent',
      AGENT_ID: id,
      AGENT_SLOTS: '4',
      AGENT_PACKS: 'reference',
      AGENT_LEASE_SECONDS: leaseSeconds,
      DRAIN_SECONDS: '30',
      ...settings,
    };
    return startWorker(id, env, prefix);
  }

  return {
    addresses,
    async startApi(settings = {}, prefix = []) {
      const port = String(await getPort());
      const client = jobsClient(`http://127.0.0.1:${port}`, key);
      const launch = async (): Promise<Program> => {
        const env = { ...settings, PORT: port, PERDURE_ADMIN_KEY: key };
        const program = await start(`api-${port}`, apiProgram, env, { prefix });
        const alive = async () => {
          if (!program.running()) throw new Error('the API has ended');
          return (await client.call('GET', '/livez')).ok;
        };
        await waitFor(alive, { what: 'the API', timeoutMs: 30_000, everyMs: 50 });
        return program;
      };
      let current = await launch();
      return { ...client, program: () => current, startAgain: async () => void (current = await launch()) };
    },
    startOrchestrator: (settings = {}) =>
      startWorker('orchestrator', { WORKER_ROLES: 'orchestrator', HOUSEKEEPING_SECONDS: '1', ...settings }),
    startAgent: (settings = {}, prefix) => startAgent(settings, prefix),
    async startEmbeddedAgent(pack, some = {}) {
      const id = `agent-${randomBytes(3).toString('hex')}`;
      const given: EmbeddedAgent = {
        id,
        ...addresses,
        storageUrl: environment['STORAGE_URL'] ?? '',
        home: folder,
        pack,
        slots: 8,
        leaseMs: Number(leaseSeconds) * 1_000,
        ...some,
      };
      const agent = await start(id, embeddedAgent, {}, { args: [JSON.stringify(given)] });
      await agent.untilSays('the worker runs');
      return agent;
    },
    async startProgram(name, command, file, settings) {
      const env = { PATH: environment['PATH'], ...settings };
      const program = await startProgram({ name, program: command, file, env, runFolder });
      programs.push(program);
      return program;
    },
    async query(sql, values) {
      const client = new pg.Client({ connectionString: addresses.databaseUrl });
      await client.connect();
      try {
        return await client.query(sql, values);
      } finally {
        await client.end();
      }
    },
    async file(name, text) {
      const path = join(folder, name);
      await writeFile(path, text);
      return path;
    },
    async standingAgents(count) {
      const alive = standing.filter((agent) => agent.running());
      const missing = Math.max(0, count - alive.length);
      const fresh = await Promise.all(
        Array.from({ length: missing }, () => startAgent({ AGENT_POOL: 'standing' })),
      );
      await Promise.all(alive.splice(count).map((agent) => agent.kill()));
      return (standing = [...alive, ...fresh]);
    },
    async operator(...args) {
      const { temporalAddress, temporalNamespace } = addresses;
      const where = ['--address', temporalAddress, '--namespace', temporalNamespace];
      const env = { PATH: environment['PATH'], HOME: folder };
      return (await execute(temporalProgram(), [...args, ...where], { env })).stdout;
    },
    async run(file, ...args) {
      return (await execute(process.execPath, [join(root, file), ...args])).stdout;
    },
    said: () => programs.map((program) => program.said()).join('\n'),
    async close() {
      await Promise.all(programs.map((program) => program.kill()));
      await servers.stop();
      await clean();
    },
  };
}

/**
 * Opens a house for a test file, and closes it at the end. `scenario` is Jest's `test`, but shows what the processes said when it
 * fails.
 */
export function house<S extends Servers>(
  startServers: (place: Place) => Promise<S>,
  furnish: (house: House, servers: S) => Promise<void>,
): { scenario(name: string, body: () => Promise<void>, timeoutMs?: number): void } {
  let opened: (House & Closing) | undefined;
  beforeAll(async () => {
    const place = await placeForServers();
    const servers = await startServers(place);
    opened = await openHouse(place, servers);
    try {
      await furnish(opened, servers);
    } catch (error) {
      console.error(opened.said());
      throw error;
    }
  }, 120_000);
  afterAll(() => opened?.close(), 60_000);
  return {
    scenario: (name, body, timeoutMs = 90_000) =>
      test(
        name,
        async () => {
          try {
            // Before the patience of Jest is over, which would not let the programs be heard.
            await withDeadline(body(), timeoutMs - 2_000, () => new Error('the scenario takes too long'));
          } catch (error) {
            console.error(opened?.said());
            throw error;
          }
        },
        timeoutMs,
      ),
  };
}
