import type { AgentActivities } from '@perdure/activities';
import type { ActivitySlotInfo, CustomSlotSupplier, NativeConnection } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import type { AgentSlots } from './slots.ts';

/**
 * Polls one claim queue, and only while the agent has a free slot. Several queues may poll for the same slot: whoever comes second is told
 * `full` by the claim itself.
 */
export function createClaimWorker(options: {
  connection: NativeConnection;
  namespace: string;
  identity: string;
  taskQueue: string;
  claim: AgentActivities['claim'];
  slots: AgentSlots;
}): Promise<Worker> {
  const { connection, namespace, identity, taskQueue, claim, slots } = options;
  const fixed = { type: 'fixed-size', numSlots: 1 } as const;
  return Worker.create({
    connection,
    namespace,
    identity,
    taskQueue,
    activities: { claim },
    tuner: {
      workflowTaskSlotSupplier: fixed,
      localActivityTaskSlotSupplier: fixed,
      nexusTaskSlotSupplier: fixed,
      activityTaskSlotSupplier: whileFree(slots),
    },
    // One open poll, not ten: an agent that freezes takes with it whatever its open polls are given.
    // `maxConcurrentActivityTaskPolls` has no effect in version 1.24 of the SDK.
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 1 },
    shutdownForceTime: '5 seconds',
  });
}

function whileFree(slots: AgentSlots): CustomSlotSupplier<ActivitySlotInfo> {
  // Polls that are open, and claims that are being answered: these may not have taken their slots yet, and a further poll would be for nothing.
  let under = 0;
  return {
    type: 'custom',
    async reserveSlot(_context, signal) {
      await slots.whenFree(signal, () => under);
      under += 1;
      return {};
    },
    // Eager claims would pass by the queue, and by the priorities in it.
    tryReserveSlot: () => null,
    markSlotUsed: () => undefined,
    releaseSlot() {
      under -= 1;
      slots.recheck();
    },
  };
}
