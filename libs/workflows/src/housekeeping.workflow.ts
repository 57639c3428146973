import type { HousekeepingActivities } from '@perdure/activities';
import { proxyActivities } from '@temporalio/workflow';

const { tidy } = proxyActivities<HousekeepingActivities>({
  startToCloseTimeout: '4 minutes',
  heartbeatTimeout: '10 seconds',
  // The schedule comes round again in a moment: a second try here would only be in its way.
  retry: { maximumAttempts: 1 },
});

/** One round of housekeeping. A Temporal Schedule starts it; it needs no agent. */
export async function housekeeping(): Promise<void> {
  await tidy();
}
