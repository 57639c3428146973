import { Client, Connection } from '@temporalio/client';
import { cpus, totalmem } from 'node:os';
import { waitFor } from '../support/wait.ts';
import { judgeLists, judgeReads, judgeThroughput } from './aims.ts';
import type { Plan } from './arguments.ts';
import { countHistory } from './history.ts';
import { type Key, kindsOf, titles } from './kinds.ts';
import { deepTokenOf, insertJobs, listRound, listSizes } from './lists.ts';
import { memoryOf } from './proc.ts';
import type { Programs } from './programs.ts';
import { prepareReads, readRound } from './reads.ts';
import type { Memory, Results } from './report.ts';
import type { Servers } from './servers.ts';
import { figure } from './table.ts';
import { throughputRound } from './throughput.ts';

export const say = (text: string): void => console.error(text);

/** Starts the processes and takes every figure, round by round. */
export async function measure(
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
      results.lists.push(await listRound({ small, large }, plan.pages, signal));
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
