import type { Plan } from '../arguments.ts';
import { figure } from '../table.ts';
import { turned } from '../throughput.ts';
import { agentKinds, type Backlog, workOff } from './backlogs.ts';
import { type Claims, timeClaims } from './claims.ts';
import { type IdleAgent, measureIdle, packs } from './memory.ts';
import type { Place } from './place.ts';
import { recover, type Recovery } from './recovery.ts';

export type FleetRound = {
  claims: Claims[];
  backlogs: Backlog[];
  recoveries: Recovery[];
  idle: IdleAgent[];
};

/** Every figure of the fleet once. Each round begins with another number or kind of agents, so that none always comes after the same one. */
export async function fleetRound(
  place: Place,
  round: number,
  { fleet: { idle, claims, backlogs, leases } }: Plan,
  signal: AbortSignal,
  say: (done: string) => void,
): Promise<FleetRound> {
  const found: FleetRound = { claims: [], backlogs: [], recoveries: [], idle: [] };
  for (const agents of turned(idle, round)) {
    const timed = await timeClaims(place, round, agents, claims, signal);
    found.claims.push(timed);
    const { polling, claimed, slowest } = timed;
    say(
      `${agents} idle agents, ${polling} poll: claimed after p99 ${figure(claimed.p99)} ms, the slowest job took ${figure(slowest)} ms`,
    );
  }
  for (const { agents, jobs } of backlogs) {
    for (const by of turned(agentKinds, round)) {
      const backlog = await workOff(place, round, { by, agents, jobs }, signal);
      found.backlogs.push(backlog);
      say(`${agents} ${by} agents: ${figure(backlog.perSecond)} jobs/s`);
    }
  }
  for (const lease of leases) {
    const recoveries = await recover(place, round, lease, signal);
    found.recoveries.push(...recoveries);
    say(
      `lease of ${lease.leaseMs} ms: claimed again after ${recoveries.map((one) => one.claimedMs).join(', ')} ms`,
    );
  }
  found.idle = await Promise.all(packs.map((pack) => measureIdle(place, round, pack, signal)));
  return found;
}
