import { claimQueueOf } from '@perdure/job/queues';
import { waitFor } from '../../support/wait.ts';
import { startOf } from '../kinds.ts';
import { type Cell, openMeter } from '../throughput.ts';
import { openHttpAgents } from './http-agents.ts';
import { jobsOf, type Place, startJob, startReady } from './place.ts';

export const agentKinds = ['native', 'http'] as const;
export type AgentKind = (typeof agentKinds)[number];

/** How fast so many agents, each with one slot, worked off jobs that waited for them. */
export type Backlog = Pick<Cell, 'cpuMs' | 'busy'> & {
  by: AgentKind;
  agents: number;
  perSecond: number;
  failures: number;
};

/** So many jobs of each agent are not timed: agents begin one after the other. */
const warmUpJobs = 2;
const submitters = 16;

export async function workOff(
  place: Place,
  round: number,
  { by, agents, jobs }: { by: AgentKind; agents: number; jobs: number },
  signal: AbortSignal,
): Promise<Backlog> {
  const pool = `${by}-${round}-${agents}`;
  await submit(place, pool, jobs);
  const meter = openMeter(place.watched);
  await meter.at();
  const work = by === 'native' ? nativeAgents : httpAgents;
  const { failures, end } = await work(place, pool, agents, jobs, signal);
  await meter.at();
  await end();
  const ended = (await jobsOf(place, pool)).map(({ endedMs }) => endedMs).sort((one, other) => one - other);
  const [first = Number.NaN, last = Number.NaN] = [ended[warmUpJobs * agents - 1], ended.at(-1)];
  const perSecond = ((jobs - warmUpJobs * agents) / (last - first)) * 1_000;
  return { by, agents, perSecond, failures, ...meter.read(jobs) };
}

/** Resolves when all of them wait for an agent. */
async function submit(place: Place, pool: string, jobs: number): Promise<void> {
  const start = startOf({ function: 'echo', version: '1.0.0', admitted: true, pool });
  let left = jobs;
  async function submitter(): Promise<void> {
    while (left-- > 0) await startJob(place, start);
  }
  await Promise.all(Array.from({ length: submitters }, submitter));
  await untilAll(place, pool, jobs, 'PENDING');
}

async function untilAll(place: Place, pool: string, jobs: number, wanted: string): Promise<void> {
  const all = async (): Promise<boolean> => {
    const known = await jobsOf(place, pool);
    return known.length === jobs && known.every(({ status }) => status === wanted);
  };
  await waitFor(all, { timeoutMs: 120_000, everyMs: 100, what: `${jobs} jobs of ${pool} to be ${wanted}` });
}

type Worked = { failures: number; end(): Promise<void> };

async function nativeAgents(place: Place, pool: string, agents: number, jobs: number): Promise<Worked> {
  const fleet = { name: pool, agents, pools: [pool], pack: 'reference', slots: 1, leaseMs: 15_000 };
  const queue = claimQueueOf({ functionName: 'echo', functionVersion: '1.0.0', pool });
  const child = await startReady(place, fleet, queue);
  await untilAll(place, pool, jobs, 'COMPLETED');
  return { failures: 0, end: () => place.programs.end(child) };
}

async function httpAgents(
  place: Place,
  pool: string,
  agents: number,
  jobs: number,
  signal: AbortSignal,
): Promise<Worked> {
  const fleet = await openHttpAgents(place.api, { name: pool, agents, pools: [pool] });
  const failures = await fleet.work(jobs, signal);
  await untilAll(place, pool, jobs, 'COMPLETED');
  return { failures, end: () => Promise.resolve(fleet.close()) };
}
