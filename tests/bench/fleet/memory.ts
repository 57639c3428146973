import { type Offer, claimQueuesServedBy, pinnedQueue } from '@perdure/job/queues';
import { loadPack } from '@perdure/functions/packs';
import { setTimeout as pause } from 'node:timers/promises';
import { memoryOf } from '../proc.ts';
import { type Place, startReady } from './place.ts';

/** What an agent that has nothing to do holds resident, in bytes. */
export type IdleAgent = { functions: number; queues: number; resident: number };

export const packs = ['reference', import.meta.resolve('../packs/fifty.ts')] as const;

/** As long as an agent takes to settle after its start. */
const settleMs = 4_000;

export async function measureIdle(
  place: Place,
  round: number,
  pack: string,
  signal: AbortSignal,
): Promise<IdleAgent> {
  const functions = (await loadPack(pack)).map(({ name, version }) => ({ name, version }));
  const name = `resting-${round}-${functions.length}`;
  const [id, pools] = [`${name}-1`, [name]];
  const offer: Offer = { agentId: id, pools, functions, tools: [], operatingSystem: process.platform };
  const fleet = { name, agents: 1, pools, pack, slots: 4, leaseMs: 15_000 };
  const child = await startReady(place, fleet, pinnedQueue(id));
  await pause(settleMs, undefined, { signal });
  const { resident } = await memoryOf(child.pid);
  await place.programs.end(child);
  return { functions: functions.length, queues: claimQueuesServedBy(offer).length, resident };
}
