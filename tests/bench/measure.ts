import { openDatabase } from '@perdure/store/database';
import { Client, Connection } from '@temporalio/client';
import { cpus, totalmem } from 'node:os';
import { waitFor } from '../support/wait.ts';
import { accessRound, startOpenApi } from './access.ts';
import {
  judgeAccess,
  judgeLists,
  judgeLogs,
  judgeReads,
  judgeRecoveries,
  judgeThroughput,
  judgeWakes,
} from './aims.ts';
import type { Plan } from './arguments.ts';
import { fileRound } from './files.ts';
import { fleetRound } from './fleet/round.ts';
import { countHistory } from './history.ts';
import { type Key, kindsOf, titles } from './kinds.ts';
import { deepTokenOf, insertJobs, listRound, type ListTarget } from './lists.ts';
import { logRound } from './logs.ts';
import { memoryOf } from './proc.ts';
import type { Programs } from './programs.ts';
import { readRound } from './reads.ts';
import type { Memory, Results } from './report.ts';
import type { Servers } from './servers.ts';
import { submitRound } from './submits.ts';
import { figure } from './table.ts';
import { throughputRound } from './throughput.ts';
import { fanRound, manyStreams } from './streams.ts';
import { waitRound } from './waiters.ts';

export const say = (text: string): void => console.error(text);

/** Starts the processes and takes every figure, round by round. */
export async function measure(
  plan: Plan,
  servers: Servers,
  programs: Programs,
  signal: AbortSignal,
): Promise<Results> {
  say('Starting the API, the workers and the bare workflow');
  const { databaseUrl, api, ours, watched } = await startAll(servers, programs);
  // Without the client's own retries: they go on when the connection is closed, and throw where nobody catches.
  const connection = await Connection.connect({ address: servers.temporalAddress, interceptors: [] });
  const db = openDatabase(databaseUrl);
  try {
    const client = new Client({ connection });
    const all = kindsOf(client, api.http);
    const wanted = (part: string): boolean => plan.only.length === 0 || plan.only.includes(part);
    const kinds = new Map((Object.keys(titles) as Key[]).filter(wanted).map((key) => [key, all[key]]));
    const histories = await warmUp(kinds.size > 0 ? kinds : new Map([['b', all.b]]), client);
    const lists = wanted('lists') ? await startListApis(servers, programs, plan) : undefined;
    const bare = wanted('reads') ? await programs.startOneRow(databaseUrl) : undefined;
    const openApi = wanted('access') ? await startOpenApi(programs, databaseUrl, api.key) : undefined;
    const bareFiles = wanted('files') ? await programs.startBareFiles() : undefined;
    const idle = await memories(ours);
    const results: Results = {
      machine: machine(),
      cells: [],
      histories,
      submits: [],
      files: [],
      reads: [],
      access: [],
      lists: [],
      wakes: [],
      fans: [],
      logs: [],
      fleet: [],
      memory: {},
      verdicts: [],
    };
    for (let round = 0; round < plan.rounds; round++) {
      const title = `round ${round + 1}/${plan.rounds}`;
      await throughputRound(round, kinds, watched, plan, signal, (cell) => {
        const { kind, inFlight, perSecond, p99 } = cell;
        results.cells.push(cell);
        say(`${title}: (${kind}) ${inFlight} in flight: ${figure(perSecond)} jobs/s, p99 ${figure(p99)} ms`);
      });
      if (wanted('submits')) {
        results.submits.push(await submitRound(api.http, plan, round, signal));
        say(`${title}: submits are done`);
      }
      if (bareFiles !== undefined) {
        results.files.push(await fileRound(api, bareFiles, servers.folder, plan, signal));
        say(`${title}: files are done`);
      }
      if (bare !== undefined) {
        results.reads.push(await readRound(api.http, bare, all.c, plan, signal));
        say(`${title}: reads are done`);
      }
      if (openApi !== undefined) {
        results.access.push(await accessRound(api.http, openApi, all.c, plan, signal));
        say(`${title}: access is done`);
      }
      if (lists !== undefined) {
        results.lists.push(await listRound(lists, plan.lists.pages, signal));
        say(`${title}: lists are done`);
      }
      if (wanted('waiters')) {
        results.wakes.push(await waitRound(api, db, plan, signal));
        say(`${title}: long polls are done`);
      }
      if (wanted('streams')) {
        results.fans.push(await fanRound(api, db, plan, signal));
        say(`${title}: streams are done`);
      }
      if (wanted('logs')) {
        results.logs.push(await logRound(api, db, plan, signal));
        say(`${title}: logs are done`);
      }
      if (wanted('fleet')) {
        const place = { programs, databaseUrl, db, client, api, watched };
        results.fleet.push(await fleetRound(place, round, plan, signal, (done) => say(`${title}: ${done}`)));
      }
    }
    const loaded = await memories(ours);
    results.memory = Object.fromEntries(
      Object.keys(ours).map((name) => [name, { idle: idle[name] ?? none, loaded: loaded[name] ?? none }]),
    );
    results.verdicts = [
      ...judgeThroughput(results.cells),
      ...judgeReads(results.reads),
      ...judgeAccess(results.access),
      ...judgeLists(results.lists),
      ...judgeWakes(results.wakes),
      ...judgeLogs(results.logs),
      ...judgeRecoveries(results.fleet),
    ];
    return results;
  } finally {
    await db.close();
    await connection.close();
  }
}

async function startAll(servers: Servers, programs: Programs) {
  const databaseUrl = await servers.database('perdure');
  // The API brings the database up to date; the workers need it so.
  const api = await programs.startApi('api', databaseUrl, manyStreams);
  const ours = {
    api: api.child,
    orchestrator: await programs.startOrchestrator(databaseUrl),
    agent: await programs.startAgent(databaseUrl),
  };
  const others = [
    await programs.startBenchAgent(databaseUrl),
    await programs.startBare('orchestrator'),
    await programs.startBare('agent'),
  ];
  const processes = [servers.temporal, servers.postgres, ...Object.values(ours), ...others];
  const watched = new Map(processes.map(({ name, pid }) => [name, pid]));
  return { databaseUrl, api, ours, watched: watched.set('client', process.pid) };
}

/** The first jobs wait for the workers and warm them up; an agent is known to the API before it claims. */
async function warmUp(kinds: ReadonlyMap<Key, () => Promise<string>>, client: Client) {
  const histories: Results['histories'] = {};
  for (const [key, run] of kinds) {
    const id = await waitFor(run, { timeoutMs: 60_000, what: `a first job of (${key})` });
    for (let job = 0; job < 10; job++) await run();
    histories[key] = await countHistory(client, id);
  }
  return histories;
}

const none: Memory = { resident: Number.NaN, peak: Number.NaN };

async function memories(processes: Record<string, { pid: number }>): Promise<Record<string, Memory>> {
  const entries = Object.entries(processes).map(async ([name, { pid }]) => [name, await memoryOf(pid)]);
  return Object.fromEntries(await Promise.all(entries)) as Record<string, Memory>;
}

/** Two APIs, each on a database of its own, so that the lists can be read in turns. */
async function startListApis(servers: Servers, programs: Programs, { lists }: Plan) {
  const start = async (size: number): Promise<ListTarget> => {
    const url = await servers.database(`list_${size}`);
    const { http } = await programs.startApi(`api-list-${size}`, url);
    await insertJobs(url, size);
    return { http, deepToken: await deepTokenOf(http) };
  };
  say(`Making lists of ${lists.small} and ${lists.large} jobs`);
  return { small: await start(lists.small), large: await start(lists.large) };
}

function machine(): Results['machine'] {
  return {
    processors: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    platform: process.platform,
    at: new Date().toISOString(),
  };
}
