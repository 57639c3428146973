import { claimQueueOf } from '@perdure/job/queues';
import { runThroughTemporal, startOf } from '../kinds.ts';
import { type Latency, latencyOf } from '../statistics.ts';
import { type Busy, openMeter } from '../throughput.ts';
import { jobsOf, type Place, polling, startFleet } from './place.ts';
import { idsOf } from './spec.ts';

export const idleAgents = [1, 10, 40, 100] as const;

/** From the start of a job to its event `claimed`, while so many agents have nothing to do. */
export type Claims = Latency & { agents: number; polling: number; jobs: number; busy: Busy };

/** So many jobs come first, and are not counted. */
const warmUpJobs = 5;

/** Agents that do not poll by then are not let. */
const patienceMs = 10_000;
/** No further job is begun then. */
const mostMs = 30_000;

/** One job after another, for a pool whose agents are all idle. */
export async function timeClaims(
  place: Place,
  round: number,
  agents: number,
  jobs: number,
  signal: AbortSignal,
): Promise<Claims> {
  const pool = `idle-${round}-${agents}`;
  const fleet = { name: pool, agents, pools: [pool], pack: 'reference', slots: 4, leaseMs: 15_000 };
  const queue = claimQueueOf({ functionName: 'echo', functionVersion: '1.0.0', pool });
  const child = await startFleet(place, fleet);
  const poll = await polling(place, queue, idsOf(fleet), patienceMs);
  const start = startOf({ function: 'echo', version: '1.0.0', admitted: true, pool });
  const meter = openMeter(place.watched);
  const begun = new Map<string, number>();
  const end = performance.now() + mostMs;
  for (let job = -warmUpJobs; job < jobs && performance.now() < end; job++) {
    signal.throwIfAborted();
    if (job === 0) await meter.at();
    const now = Date.now();
    const id = await runThroughTemporal(place.client, start);
    if (job >= 0) begun.set(id, now);
  }
  await meter.at();
  const { busy } = meter.read(begun.size);
  await place.programs.end(child);
  const latencies = (await jobsOf(place, pool)).flatMap(({ id, claimedMs }) => {
    const at = begun.get(id);
    return at === undefined ? [] : [claimedMs - at];
  });
  return { agents, polling: poll, jobs: latencies.length, ...latencyOf(latencies), busy };
}
