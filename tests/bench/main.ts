import { Client, Connection } from '@temporalio/client';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { buildApi } from '../../apps/local/src/api-build.ts';
import { waitFor } from '../support/wait.ts';
import { judgeLists, judgeReads, judgeThroughput } from './aims.ts';
import { type Plan, planOf, usage } from './arguments.ts';
import { countHistory } from './history.ts';
import { type Key, kindsOf, titles } from './kinds.ts';
import { deepTokenOf, insertJobs, listRound, listSizes } from './lists.ts';
import { memoryOf } from './proc.ts';
import { openPrograms, type Programs } from './programs.ts';
import { prepareReads, readRound } from './reads.ts';
import { type Memory, print, type Results } from './report.ts';
import { makeFolder, removeFolder, type Servers, startServers } from './servers.ts';
import { figure } from './table.ts';
import { throughputRound } from './throughput.ts';

const say = (text: string): void => console.error(text);

async function measure(
  plan: Plan,
  servers: Servers,
  programs: Programs,
  signal: AbortSignal,
): Promise<Results> {
  say('Starting the API, the workers and the bare workflow');
  const databaseUrl = await servers.database('perdure');
  // The API brings the database up to date; the workers need it so.
  const { child: api, http } = await programs.startApi('api', databaseUrl);
  const orchestrator = await programs.startOrchestrator(databaseUrl);
  const agent = await programs.startAgent(databaseUrl);
  const benchAgent = await programs.startBenchAgent(databaseUrl);
  const bare = [await programs.startBare('orchestrator'), await programs.startBare('agent')];
  const connection = await Connection.connect({ address: servers.temporalAddress });
  const all = kindsOf(new Client({ connection }), http);
  const chosen = (Object.keys(titles) as Key[]).filter(
    (key) => plan.only.length === 0 || plan.only.includes(key),
  );
  const kinds = new Map(chosen.map((key) => [key, all[key]]));
  try {
    const client = new Client({ connection });
    const histories: Results['histories'] = {};
    for (const [key, run] of kinds) {
      // The first jobs wait for the workers and warm them up; an agent is known to the API before it claims.
      const id = await waitFor(run, { timeoutMs: 60_000, what: `a first job of (${key})` });
      for (let job = 0; job < 10; job++) await run();
      histories[key] = await countHistory(client, id);
    }
    const ours = { api, orchestrator, agent };
    const memory: Results['memory'] = {};
    for (const [name, { pid }] of Object.entries(ours))
      memory[name] = { idle: await memoryOf(pid), loaded: none };

    const watched = new Map([
      ['temporal', servers.temporal.pid],
      ['postgres', servers.postgres.pid],
      ...Object.entries(ours).map(([name, { pid }]) => [name, pid] as const),
      ['bench-agent', benchAgent.pid],
      ...bare.map(({ name, pid }) => [name, pid] as const),
      ['client', process.pid],
    ]);
    const withReads = plan.only.length === 0;
    const [small, large] = withReads ? await startListApis(servers, programs) : [];
    const results: Results = {
      machine: machine(),
      cells: [],
      histories,
      reads: [],
      lists: [],
      memory,
      verdicts: [],
    };
    for (let round = 0; round < plan.rounds; round++) {
      await throughputRound(round, kinds, watched, plan, signal, (cell) => {
        results.cells.push(cell);
        say(
          `round ${round + 1}/${plan.rounds}: (${cell.kind}) ${cell.inFlight} in flight: ${figure(cell.perSecond)} jobs/s, p99 ${figure(cell.p99)} ms`,
        );
      });
      if (!small || !large) continue;
      const finished = await Promise.all(Array.from({ length: 20 }, all.c));
      const targets = await prepareReads(http, finished);
      results.reads.push(await readRound(http, targets, plan, signal));
      await targets.end();
      results.lists.push({
        small: await listRound(small.http, plan.pages, small.deepToken, signal),
        large: await listRound(large.http, plan.pages, large.deepToken, signal),
      });
      say(`round ${round + 1}/${plan.rounds}: reads and lists are done`);
    }
    for (const [name, { pid }] of Object.entries(ours))
      memory[name] = { idle: memory[name]?.idle ?? none, loaded: await memoryOf(pid) };
    results.verdicts = [
      ...judgeThroughput(results.cells),
      ...(withReads ? [...judgeReads(results.reads), ...judgeLists(results.lists)] : []),
    ];
    return results;
  } finally {
    await connection.close();
  }
}

const none: Memory = { resident: Number.NaN, peak: Number.NaN };

/** Two APIs, each on a database of its own, so that the lists can be read in turns. */
async function startListApis(servers: Servers, programs: Programs) {
  return Promise.all(
    listSizes.map(async (size) => {
      const url = await servers.database(`list_${size}`);
      const { http } = await programs.startApi(`api-list-${size}`, url);
      await insertJobs(url, size);
      return { http, deepToken: await deepTokenOf(http) };
    }),
  );
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

async function main(): Promise<void> {
  const plan = planOf(process.argv.slice(2));
  if (plan.cpuProfiles !== undefined) await mkdir(plan.cpuProfiles, { recursive: true });
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
  }
  const { signal } = interrupted;
  await buildApi(signal);
  const folder = await makeFolder();
  let programs: Programs | undefined;
  let servers: Servers | undefined;
  try {
    say('Starting PostgreSQL and Temporal');
    servers = await startServers(folder, signal);
    programs = openPrograms(servers, plan.cpuProfiles);
    const stopped = new Promise<never>((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error)),
    );
    const results = await Promise.race([measure(plan, servers, programs, signal), programs.failed, stopped]);
    console.log(print(results));
    if (plan.json !== undefined)
      await writeFile(plan.json, `${JSON.stringify({ plan, ...results }, null, 2)}\n`);
  } finally {
    await programs?.stop();
    await Promise.all([servers?.temporal.stop(5_000), servers?.postgres.stop(5_000)]);
    await removeFolder(folder);
  }
}

await main().then(
  // Calls that were cut off may still hold connections open.
  () => process.exit(0),
  (failure: unknown) => {
    console.error(failure);
    console.error(usage);
    process.exit(1);
  },
);
