import { orchestratorQueue } from '@perdure/job/queues';
import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';

const scheduleId = 'perdure-housekeeping';

/** Puts the housekeeping on Temporal's own clock; a schedule that exists gets the interval that is configured now. */
export async function ensureHousekeeping(client: Client, everySeconds: number): Promise<void> {
  const spec = { intervals: [{ every: everySeconds * 1000 }] };
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' } as const;
  const action = {
    type: 'startWorkflow',
    workflowType: 'housekeeping',
    workflowId: scheduleId,
    taskQueue: orchestratorQueue,
    // A round that hangs must not keep the next ones from running.
    workflowRunTimeout: '5 minutes',
  } as const;
  try {
    await client.schedule.create({ scheduleId, spec, policies, action });
  } catch (failure) {
    if (!(failure instanceof ScheduleAlreadyRunning)) throw failure;
    await client.schedule.getHandle(scheduleId).update(({ state }) => ({ spec, policies, action, state }));
  }
}
