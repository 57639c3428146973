import { claimQueueOf } from '@perdure/job/queues';
import { runThroughTemporal, startOf } from '../kinds.ts';
import { type Latency, latencyOf } from '../statistics.ts';
import { type Busy, openMeter } from '../throughput.ts';
import { jobsOf, type Place, startFleet } from './place.ts';
import { idsOf } from './spec.ts';

export const idleAgents = [1, 10, 100] as const;

/** From the start of a job to its event `claimed`, while so many agents have nothing to do. */
export type Claims = Latency & { agents: number; busy: Busy };

/** So many jobs come first, and are not counted. */
const warmUpJobs = 5;

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
  const child = await startFleet(place, fleet, queue, idsOf(fleet));
  const start = startOf({ function: 'echo', version: '1.0.0', admitted: true, pool });
  const meter = openMeter(place.watched);
  const begun = new Map<string, number>();
  for (let job = -warmUpJobs; job < jobs; job++) {
    signal.throwIfAborted();
    if (job === 0) await meter.at();
    const now = Date.now();
    const id = await runThroughTemporal(place.client, start);
    if (job >= 0) begun.set(id, now);
  }
  await meter.at();
  const { busy } = meter.read(jobs);
  await place.programs.end(child);
  const latencies = (await jobsOf(place, pool)).flatMap(({ id, claimedMs }) => {
    const at = begun.get(id);
    return at === undefined ? [] : [claimedMs - at];
  });
  return { agents, ...latencyOf(latencies), busy };
}
