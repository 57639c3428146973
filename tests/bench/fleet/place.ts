import type { Database } from '@perdure/store/database';
import type { Client } from '@temporalio/client';
import { setTimeout as pause } from 'node:timers/promises';
import type { Child } from '../../../apps/local/src/child.ts';
import type { Programs, RunningApi } from '../programs.ts';
import { type FleetRequest, idsOf } from './spec.ts';

/** Where the fleet is measured: the processes that run, and ways to them. */
export type Place = {
  programs: Programs;
  databaseUrl: string;
  db: Database;
  client: Client;
  api: RunningApi;
  /** Processes by their names; a fleet that is started becomes one of them. */
  watched: Map<string, number>;
};

const activityQueue = 2;

export async function startFleet(place: Place, fleet: FleetRequest): Promise<Child> {
  const child = await place.programs.startFleet(place.databaseUrl, fleet);
  place.watched.set(fleet.name, child.pid);
  return child;
}

/** Waits until all of these agents poll the queue, or `timeoutMs` have passed. Answers how many do: Temporal keeps only so many polls open. */
export async function polling(
  { client }: Place,
  queue: string,
  ids: readonly string[],
  timeoutMs: number,
): Promise<number> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue: { name: queue },
      taskQueueType: activityQueue,
    });
    const seen = new Set(pollers?.map(({ identity }) => identity));
    const count = ids.filter((id) => seen.has(id)).length;
    if (count === ids.length || performance.now() > end) return count;
    await pause(50);
  }
}

/** Starts agents of which each polls the queue when this resolves. */
export async function startReady(place: Place, fleet: FleetRequest, queue: string): Promise<Child> {
  const child = await startFleet(place, fleet);
  const count = await polling(place, queue, idsOf(fleet), 30_000);
  if (count < fleet.agents) throw new Error(`only ${count} agents of ${fleet.name} poll ${queue}`);
  return child;
}

/** What the record says of the jobs of a pool. */
export async function jobsOf({ db }: Place, pool: string) {
  const rows = await db.kysely
    .selectFrom('jobs')
    .select(['id', 'status', 'agentId', 'startedAt', 'endedAt'])
    .where('pool', '=', pool)
    .execute();
  return rows.map(({ startedAt, endedAt, ...job }) => ({
    ...job,
    claimedMs: Date.parse(startedAt ?? ''),
    endedMs: Date.parse(endedAt ?? ''),
  }));
}
