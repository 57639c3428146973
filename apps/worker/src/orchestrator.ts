import { createHousekeepingActivities } from '@perdure/activities/housekeeping';
import { createOrchestratorActivities } from '@perdure/activities/orchestrator';
import type { WorkerConfig } from '@perdure/config/worker';
import { orchestratorQueue } from '@perdure/job/queues';
import type { Storage } from '@perdure/storage';
import type { OpenDatabase } from '@perdure/store/database';
import { makeRecorder } from '@perdure/store/record';
import { startOptions } from '@perdure/workflows/start';
import { Client } from '@temporalio/client';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { bundleWorkflows, dataConverter } from './bundle.ts';
import { ensureHousekeeping } from './schedule.ts';
import { ensureSearchAttributes } from './search-attributes.ts';

/** The role that runs the workflows, writes the record, and keeps house. */
export async function createOrchestrator(
  config: WorkerConfig,
  db: OpenDatabase,
  storage: Storage,
  connection: NativeConnection,
): Promise<Worker> {
  const { namespace } = config.temporal;
  await ensureSearchAttributes(connection, namespace);
  await ensureHousekeeping(new Client({ connection, namespace }), config.housekeepingSeconds);
  const recorder = makeRecorder(db);
  return Worker.create({
    connection,
    namespace,
    taskQueue: orchestratorQueue,
    workflowBundle: await bundleWorkflows(),
    dataConverter,
    activities: {
      ...createOrchestratorActivities({ db, recorder }),
      ...createHousekeepingActivities({
        db,
        storage,
        recorder,
        startOptions,
        startAfterMs: 5_000,
        // With the time until the next round: what ended outside is recorded within two rounds.
        quietAfterMs: config.housekeepingSeconds * 1000,
        // Longer than anybody takes from storing bytes to naming them; who did all the same is refused.
        bytesAfterMs: 7 * 24 * 3_600_000,
        retentionDays: config.retentionDays,
        logRetentionDays: config.logRetentionDays,
        auditRetentionDays: config.auditRetentionDays,
      }),
    },
    // After a worker was killed, the next answers to queries wait this long for it.
    stickyQueueScheduleToStartTimeout: '1 second',
    shutdownForceTime: '8 seconds',
  });
}
