import type { LocalConfig } from '@perdure/config/local';
import { rm } from 'node:fs/promises';
import { adminKeyIn } from './admin-key.ts';
import { buildApi } from './api-build.ts';
import { type Home, makeHome } from './folders.ts';
import { endLeftovers, noteProcess, notedPid } from './ledger.ts';
import type { Output } from './output.ts';
import { takePorts } from './ports.ts';
import { programsOf } from './programs.ts';
import { untilAnswers } from './readiness.ts';
import { type Ports, type ServerAddresses, serverSteps } from './servers.ts';
import { runSteps, type Step } from './steps.ts';
import { type Service, type Supervised, supervise } from './supervisor.ts';

export type Stack = {
  readonly apiUrl: string;
  readonly adminKey: string;
  readonly home: Home;
  readonly servers: ServerAddresses;
  /** Settles when a part has ended so often that it is not started again: the whole is to end. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
};

/**
 * Starts everything and waits until the API is ready. Ends what it started when it cannot, or when `signal` comes, and then
 * rejects. What the parts say meanwhile is shown when it fails, or with `allLogs`.
 */
export async function startStack(
  config: LocalConfig,
  output: Output,
  options: { terminal: boolean; allLogs: boolean; signal: AbortSignal },
): Promise<Stack> {
  const { signal } = options;
  const home = await claimHome(config.home, output);
  // Ended in the reverse order; those of one row together.
  const rows: Supervised[][] = [[], [], []];
  const [servers = [], middle = [], front = []] = rows;
  let fail: (reason: Error) => void = () => undefined;
  const failed = new Promise<Error>((settle) => (fail = settle));
  const keep = (row: Supervised[], part: Supervised): void => {
    row.push(part);
    void part.gaveUp.then(fail);
  };
  const stop = async (): Promise<void> => {
    // What servers say of their own end is long, and of no use.
    for (const { name } of servers) output.mute(name);
    for (const row of rows.toReversed()) await Promise.all(row.map((part) => part.stop()));
    await rm(home.run, { recursive: true, force: true });
  };
  const begin = async (row: Supervised[], service: Service): Promise<void> => {
    signal.throwIfAborted();
    keep(row, await supervise(service, output.say));
  };
  const release = output.hold();
  try {
    const ports = await portsFor(config);
    const onStarted = (server: Supervised): void => keep(servers, server);
    const bringUp = serverSteps({ config, home, ports, output, onStarted });
    const build: Step = { title: 'API', run: async (_say, over) => void (await buildApi(over)) };
    const shown = { ...options, write: output.say };
    await runSteps([...bringUp.steps, build], shown);
    const adminKey = await adminKeyIn(home.adminKey, config.adminKey);
    const addresses = bringUp.addresses();
    const programs = programsOf({ config, home, ports, servers: addresses, adminKey, output });
    const apiUrl = `http://${hostToCall(config.host)}:${ports.api}`;
    const run = async (say: (text: string) => void): Promise<void> => {
      say('starting the API');
      // It brings the database up to date; the workers need it so.
      await begin(front, programs.api);
      await untilAnswers(`${apiUrl}/livez`, { signal, failed });
      say('starting the workers');
      await begin(middle, programs.orchestrator);
      await begin(front, programs.agent);
      await untilAnswers(`${apiUrl}/readyz`, { signal, failed });
    };
    await runSteps([{ title: 'Perdure', run }], shown);
    release(options.allLogs ? 'show' : 'drop');
    return { apiUrl, adminKey, home, servers: addresses, failed, stop };
  } catch (error) {
    release(signal.aborted ? 'drop' : 'show');
    await stop();
    throw error;
  }
}

/** Makes the data folder ours: refuses when another start uses it, and ends what a start that was killed left running. */
async function claimHome(folder: string, output: Output): Promise<Home> {
  const home = await makeHome(folder);
  const rival = await notedPid(home.run, 'local');
  if (rival !== undefined) {
    throw new Error(
      `Perdure runs already on ${folder} (process ${rival}). End that one first, or set PERDURE_HOME to another folder.`,
    );
  }
  await rm(`${home.run}/local.json`, { force: true });
  const ended = await endLeftovers(home.run, 5_000);
  if (ended.length > 0) output.say(`Ended what an earlier start had left running: ${ended.join(', ')}.`);
  await noteProcess(home.run, 'local', process.pid);
  return home;
}

async function portsFor(config: LocalConfig): Promise<Ports> {
  const host = '127.0.0.1';
  const { database, temporal } = config;
  const wishes = [
    { host: config.host, port: config.port, variable: 'PORT', what: 'the API' },
    ...(database.url === undefined
      ? [{ host, port: database.port, variable: 'POSTGRES_PORT', what: 'PostgreSQL' }]
      : []),
    ...(temporal.address === undefined
      ? [
          { host, port: temporal.port, variable: 'TEMPORAL_PORT', what: 'the Temporal server' },
          { host, port: temporal.uiPort, variable: 'TEMPORAL_UI_PORT', what: 'the Temporal UI' },
        ]
      : []),
  ];
  const ports = await takePorts(wishes);
  const portOf = (variable: string): number =>
    ports[wishes.findIndex((wish) => wish.variable === variable)] ?? 0;
  return {
    api: portOf('PORT'),
    postgres: portOf('POSTGRES_PORT'),
    temporal: portOf('TEMPORAL_PORT'),
    temporalUi: portOf('TEMPORAL_UI_PORT'),
  };
}

/** The host in the API's own address: one that stands for every interface cannot be called, and IPv6 stands in brackets. */
function hostToCall(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
