import { defaultTenantId } from '@perdure/job/ids';
import { claimQueueOf } from '@perdure/job/queues';
import { cancelSignal } from '@perdure/workflows/messages';
import { getEvents, getJob } from '@perdure/store/read';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Child } from '../../../apps/local/src/child.ts';
import { waitFor } from '../../support/wait.ts';
import { startOf } from '../kinds.ts';
import { again, type Place, startJob, startReady } from './place.ts';

/** From `kill -9` of the agent that runs a job: when the loss was known, and when another agent had the job. */
export type Recovery = { leaseMs: number; lostMs: number; claimedMs: number };

/** One long job, which loses one agent after the other. */
export async function recover(
  place: Place,
  round: number,
  { leaseMs, losses }: { leaseMs: number; losses: number },
  signal: AbortSignal,
): Promise<Recovery[]> {
  const pool = `lost-${round}-${leaseMs}`;
  const agents = new Map<string, Child>();
  const startAgent = async (): Promise<void> => {
    const name = `${pool}-${randomUUID().slice(0, 8)}`;
    const fleet = { name, agents: 1, pools: [pool], pack: 'reference', slots: 1, leaseMs };
    const queue = claimQueueOf({ functionName: 'sleep', functionVersion: '1.0.0', pool });
    agents.set(`${name}-1`, await startReady(place, fleet, queue));
  };
  await startAgent();
  const job = { function: 'sleep', version: '1.0.0', parameters: { seconds: 3_600 }, admitted: true, pool };
  const start = startOf({ ...job, maxAgentLosses: 100 });
  const handle = await startJob(place, start);
  const id = handle.workflowId;
  const found: Recovery[] = [];
  for (let loss = 1; loss <= losses; loss++) {
    await startAgent();
    const holder = await untilRuns(place, id, loss);
    // At another moment between two of its beats each time.
    await pause(1_000 + 300 * loss, undefined, { signal });
    const child = agents.get(holder);
    if (child === undefined) throw new Error(`job ${id} is with ${holder}`);
    const now = Date.now();
    await place.programs.kill(child);
    const { lostAt, claimedAt } = await untilRecovered(place, id, loss, leaseMs);
    found.push({ leaseMs, lostMs: lostAt - now, claimedMs: claimedAt - now });
    agents.delete(holder);
  }
  await again(() => handle.signal(cancelSignal, { mode: 'force' }));
  // It ends as canceled.
  await handle.result().catch(() => undefined);
  await Promise.all([...agents.values()].map((child) => place.programs.end(child)));
  return found;
}

/** Answers which agent runs the job in this attempt. */
function untilRuns({ db }: Place, id: string, attempt: number): Promise<string> {
  const runs = async () => {
    const job = await getJob(db, defaultTenantId, id);
    return job?.status === 'RUNNING' && job.attempt === attempt ? job.agentId : undefined;
  };
  return waitFor(runs, { timeoutMs: 30_000, what: `attempt ${attempt} to run` });
}

async function untilRecovered({ db }: Place, id: string, attempt: number, leaseMs: number) {
  const recovered = async () => {
    const events = await getEvents(db, defaultTenantId, id);
    const claimed = events.find((event) => event.type === 'claimed' && event.attempt === attempt + 1);
    const lost = events.findLast(({ type }) => type === 'agentLost');
    return claimed && lost && { lostAt: Date.parse(lost.at), claimedAt: Date.parse(claimed.at) };
  };
  return waitFor(recovered, { timeoutMs: leaseMs + 60_000, what: `attempt ${attempt} to be lost` });
}
