import type { JobState } from '@perdure/job/event';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../../../../tests/support/wait.ts';
import type { StageSet } from './stage-set.ts';

/** Starts jobs on a stage set, and tells what was recorded of them. */
export function watchJobs(of: () => StageSet) {
  function start(argument: unknown = { function: 'echo' }) {
    return of().client.workflow.start('job', {
      taskQueue: 'perdure',
      workflowId: randomUUID(),
      args: [argument],
    });
  }
  type Handle = Awaited<ReturnType<typeof start>>;

  return {
    start,
    typesOf: ({ workflowId }: Handle) =>
      of()
        .eventsOf(workflowId)
        .map(({ type }) => type),
    statusesOf: ({ workflowId }: Handle) =>
      of()
        .eventsOf(workflowId)
        .map(({ status }) => status),
    stateOf({ workflowId }: Handle): JobState {
      const last = of().records.findLast(({ state }) => state.jobId === workflowId);
      if (last === undefined) throw new Error(`nothing was recorded of ${workflowId}`);
      return last.state;
    },
    reaches: ({ workflowId }: Handle, status: string) =>
      waitFor(() => of().records.some(({ state }) => state.jobId === workflowId && state.status === status), {
        what: status,
      }),
    /** The type of the failure that the workflow ended with. */
    failureOf: (handle: Handle) =>
      handle.result().then(
        () => 'no failure',
        (failure: { cause?: { type?: string } }) => failure.cause?.type,
      ),
    nativeStatus: async (handle: Handle) => (await handle.describe()).status.name,
  };
}
