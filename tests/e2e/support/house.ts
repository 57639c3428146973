import { afterAll, beforeAll, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import getPort from 'get-port';
import { apiProgram, buildApi } from '../../../apps/local/src/api-build.ts';
import { root } from '../../../apps/local/src/folders.ts';
import { placeForServers } from '../../support/servers.ts';
import { temporalProgram } from '../../support/temporal.ts';
import { waitFor } from '../../support/wait.ts';
import { type JobsClient, jobsClient } from './jobs-client.ts';
import { type Program, startProgram } from './program.ts';
import type { Addresses, Servers } from './servers.ts';

const execute = promisify(execFile);

type Place = Awaited<ReturnType<typeof placeForServers>>;
type Settings = Record<string, string>;

/** An API process and a client that calls it. Both stay good when the process is killed and started again on its port. */
export type Api = JobsClient & { program(): Program; startAgain(): Promise<void> };

/** Perdure as real processes around one database and one Temporal namespace. */
export type House = {
  readonly addresses: Addresses;
  startApi(): Promise<Api>;
  startOrchestrator(): Promise<Program>;
  /** An agent that is ready to claim. Its id is its name. */
  startAgent(settings?: Settings): Promise<Program>;
  /** So many agents of the pool `standing`: those that live from an earlier test, and new ones. */
  standingAgents(count: number): Promise<Program[]>;
  /** Runs the Temporal CLI as an operator would. */
  operator(...args: string[]): Promise<string>;
  /** Runs another program of this repository to its end, and answers what it wrote. */
  run(file: string, ...args: string[]): Promise<string>;
};

export type Closing = { close(): Promise<void>; said(): string };

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
    LOG_LEVEL: 'info',
    DATABASE_URL: addresses.databaseUrl,
    STORAGE_URL: `file:${join(folder, 'storage')}`,
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    TEMPORAL_NAMESPACE: addresses.temporalNamespace,
    PERDURE_HOME: join(folder, 'home'),
  };

  async function start(name: string, file: string, settings: Settings): Promise<Program> {
    const program = await startProgram({ name, file, env: { ...environment, ...settings }, runFolder });
    programs.push(program);
    return program;
  }

  async function startWorker(name: string, settings: Settings): Promise<Program> {
    const worker = await start(name, workerProgram, settings);
    await worker.untilSays('the worker runs');
    return worker;
  }

  function startAgent(settings: Settings): Promise<Program> {
    const id = `agent-${randomBytes(3).toString('hex')}`;
    return startWorker(id, {
      WORKER_ROLES: 'agent',
      AGENT_ID: id,
      AGENT_SLOTS: '4',
      AGENT_PACKS: 'reference',
      AGENT_LEASE_SECONDS: leaseSeconds,
      DRAIN_SECONDS: '30',
      ...settings,
    });
  }

  return {
    addresses,
    async startApi() {
      const port = String(await getPort());
      const client = jobsClient(`http://127.0.0.1:${port}`, key);
      const launch = async (): Promise<Program> => {
        const program = await start(`api-${port}`, apiProgram, { PORT: port, PERDURE_ADMIN_KEY: key });
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
    startOrchestrator: () =>
      startWorker('orchestrator', { WORKER_ROLES: 'orchestrator', HOUSEKEEPING_SECONDS: '1' }),
    startAgent: (settings = {}) => startAgent(settings),
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
            await body();
          } catch (error) {
            console.error(opened?.said());
            throw error;
          }
        },
        timeoutMs,
      ),
  };
}
