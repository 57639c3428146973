import { proxyActivities } from '@temporalio/workflow';
import { type Activities, sharedQueue } from './topology.ts';

const startToCloseTimeout = '10 seconds';

/** What Temporal itself costs in the topology of a job: one activity on a shared queue, three on the queue of the worker that took it. */
export async function bare(): Promise<void> {
  const { claim } = proxyActivities<Activities>({ taskQueue: sharedQueue, startToCloseTimeout });
  const { nothing } = proxyActivities<Activities>({ taskQueue: await claim(), startToCloseTimeout });
  for (const _stage of ['validate', 'execute', 'upload']) await nothing();
}
