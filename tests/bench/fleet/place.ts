import type { Database } from '@perdure/store/database';
import type { JobStart } from '@perdure/job/start';
import { jobWorkflowType, startOptions } from '@perdure/workflows/start';
import { type Client, WorkflowExecutionAlreadyStartedError, type WorkflowHandle } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
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
/** No agent takes longer to start. */
const startMs = 30_000;

export async function startFleet(place: Place, fleet: FleetRequest): Promise<Child> {
  const child = await place.programs.startFleet(place.databaseUrl, fleet);
  place.watched.set(fleet.name, child.pid);
  return child;
}

/** As long as no further agent polls, it may be that Temporal keeps no more polls open. */
const patienceMs = 4_000;

/** Answers how many of these agents poll the queue: when all do, or when no other has come for a while. */
export async function polling({ client }: Place, queue: string, ids: readonly string[]): Promise<number> {
  let [most, since] = [0, performance.now()];
  for (;;) {
    const { pollers } = await again(() =>
      client.workflowService.describeTaskQueue({
        namespace: 'default',
        taskQueue: { name: queue },
        taskQueueType: activityQueue,
      }),
    );
    const seen = new Set(pollers?.map(({ identity }) => identity));
    const count = ids.filter((id) => seen.has(id)).length;
    if (count > most) [most, since] = [count, performance.now()];
    if (count === ids.length || (count > 0 && performance.now() - since > patienceMs)) return count;
    if (performance.now() - since > startMs) throw new Error(`no agent polls ${queue}`);
    await pause(50);
  }
}

/** Starts agents of which each polls the queue when this resolves. */
export async function startReady(place: Place, fleet: FleetRequest, queue: string): Promise<Child> {
  const child = await startFleet(place, fleet);
  const count = await polling(place, queue, idsOf(fleet));
  if (count < fleet.agents) throw new Error(`only ${count} agents of ${fleet.name} poll ${queue}`);
  return child;
}

/** Temporal ends a connection every few minutes, and what is asked at that moment may fail. */
export async function again<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch {
    await pause(100);
    return call();
  }
}

/** Starts a job through Temporal, as the API does. */
export async function startJob({ client }: Place, start: JobStart): Promise<WorkflowHandle> {
  const options = startOptions(randomUUID(), start);
  try {
    return await again(() => client.workflow.start(jobWorkflowType, options));
  } catch (failure) {
    if (!(failure instanceof WorkflowExecutionAlreadyStartedError)) throw failure;
    return client.workflow.getHandle(options.workflowId);
  }
}

/** What the record says of the jobs of a pool. */
export async function jobsOf({ db }: Place, pool: string) {
  const rows = await db.kysely
    .selectFrom('jobs')
    .select(['id', 'status', 'startedAt', 'endedAt'])
    .where('pool', '=', pool)
    .execute();
  return rows.map(({ startedAt, endedAt, ...job }) => ({
    ...job,
    claimedMs: Date.parse(startedAt ?? ''),
    endedMs: Date.parse(endedAt ?? ''),
  }));
}
