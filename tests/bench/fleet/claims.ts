import { claimQueueOf } from '@perdure/job/queues';
import { startOf } from '../kinds.ts';
import { type Latency, latencyOf } from '../statistics.ts';
import { type Busy, openMeter } from '../throughput.ts';
import { again, jobsOf, type Place, polling, startFleet, startJob } from './place.ts';
import { idsOf } from './spec.ts';

/** From the start of a job to its event `claimed`, and to its end, while so many agents have nothing to do. */
export type Claims = {
  agents: number;
  /** Those of them that Temporal lets poll. */
  polling: number;
  jobs: number;
  claimed: Latency;
  ended: Latency;
  /** The longest that a job took to its end. */
  slowest: number;
  busy: Busy;
};

/** So many jobs come first, and are not counted. */
const warmUpJobs = 5;

/** Then no further job is begun. */
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
  const poll = await polling(place, queue, idsOf(fleet));
  const start = startOf({ function: 'echo', version: '1.0.0', admitted: true, pool });
  const meter = openMeter(place.watched);
  const begun = new Map<string, number>();
  let end = Number.POSITIVE_INFINITY;
  for (let job = -warmUpJobs; job < jobs && performance.now() < end; job++) {
    signal.throwIfAborted();
    if (job === 0) {
      await meter.at();
      end = performance.now() + mostMs;
    }
    const now = Date.now();
    const handle = await startJob(place, start);
    await again(() => handle.result());
    if (job >= 0) begun.set(handle.workflowId, now);
  }
  await meter.at();
  const { busy } = meter.read(begun.size);
  await place.programs.end(child);
  const known = (await jobsOf(place, pool)).flatMap(({ id, claimedMs, endedMs }) => {
    const at = begun.get(id);
    return at === undefined ? [] : [{ claimed: claimedMs - at, ended: endedMs - at }];
  });
  return {
    agents,
    polling: poll,
    jobs: known.length,
    claimed: latencyOf(known.map(({ claimed }) => claimed)),
    ended: latencyOf(known.map(({ ended }) => ended)),
    slowest: Math.max(...known.map(({ ended }) => ended)),
    busy,
  };
}
