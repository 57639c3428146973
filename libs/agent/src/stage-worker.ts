import type { AgentActivities } from '@perdure/activities';
import { stageQueue } from '@perdure/job/queues';
import { type NativeConnection, Worker } from '@temporalio/worker';

/** Polls the agent's own queue: the stages of the jobs that it has claimed. */
export function createStageWorker(options: {
  connection: NativeConnection;
  namespace: string;
  identity: string;
  stages: Omit<AgentActivities, 'claim'>;
  slots: number;
}): Promise<Worker> {
  const { connection, namespace, identity, stages, slots } = options;
  return Worker.create({
    connection,
    namespace,
    identity,
    taskQueue: stageQueue(identity),
    activities: stages,
    // Stages come only for jobs that hold a slot, so the slots are the limit; an old attempt may still be on its way out.
    maxConcurrentActivityTaskExecutions: 2 * slots + 10,
    maxHeartbeatThrottleInterval: '1 second',
    shutdownForceTime: '10 seconds',
  });
}
