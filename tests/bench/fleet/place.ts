import type { Database } from '@perdure/store/database';
import type { Client } from '@temporalio/client';
import type { Child } from '../../../apps/local/src/child.ts';
import { waitFor } from '../../support/wait.ts';
import type { Programs, RunningApi } from '../programs.ts';
import type { FleetRequest } from './spec.ts';

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

/** Resolves when all `ids` poll the queue. */
export async function startFleet(
  { programs, databaseUrl, client, watched }: Place,
  fleet: FleetRequest,
  queue: string,
  ids: readonly string[],
): Promise<Child> {
  const child = await programs.startFleet(databaseUrl, fleet);
  watched.set(fleet.name, child.pid);
  const polled = async (): Promise<boolean> => {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue: { name: queue },
      taskQueueType: activityQueue,
    });
    const identities = new Set(pollers?.map(({ identity }) => identity));
    return ids.every((id) => identities.has(id));
  };
  await waitFor(polled, { timeoutMs: 60_000, everyMs: 50, what: `${fleet.name} to poll` });
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
