import type { Interruption } from '@perdure/job/commands';
import type { Client, WorkflowHandle } from '@temporalio/client';

/** What Temporal tells of an operator's act. */
export type Act = { by: string; reason: string | null };

/** A workflow that does not take an update within this time is told in the next round. */
const tellMs = 2_000;

/** Who made this run of a workflow by a reset, and why. */
export async function whoReset(client: Client, jobId: string, runId: string): Promise<Act> {
  for await (const { workflowTaskFailedEventAttributes: failed } of newestFirst(client, jobId, runId)) {
    // A workflow task that failed otherwise made no run.
    if (failed?.newRunId) return act(failed.identity, failed.failure?.message);
  }
  return act(undefined, undefined);
}

/** Who terminated the workflow, and why. */
export async function whoTerminated(client: Client, jobId: string): Promise<Act> {
  for await (const { workflowExecutionTerminatedEventAttributes: end } of newestFirst(client, jobId)) {
    return act(end?.identity, end?.reason);
  }
  return act(undefined, undefined);
}

function act(by: string | null | undefined, reason: string | null | undefined): Act {
  return { by: by || 'an unknown client', reason: reason || null };
}

/** What is looked for is nearly always among the last events: so the history comes from its end, page by page. */
async function* newestFirst(client: Client, workflowId: string, runId?: string) {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize: 20,
      nextPageToken,
    });
    yield* page.history?.events ?? [];
    nextPageToken = page.nextPageToken;
  } while (nextPageToken?.length);
}

/** Tells the workflow of a job which of its activities are paused, by whom and why. */
export async function tellOfPauses(client: Client, jobId: string): Promise<boolean> {
  const handle = client.workflow.getHandle(jobId);
  const { raw } = await handle.describe();
  const paused = (raw.pendingActivities ?? []).filter((activity) => activity.paused);
  for (const { activityId, pauseInfo } of paused) {
    const { identity, reason } = pauseInfo?.manual ?? {};
    const { seconds, nanos } = pauseInfo?.pauseTime ?? {};
    await tell(client, handle, `${Number(seconds)}.${nanos}`, {
      activityId: activityId ?? '',
      how: 'paused',
      ...(identity ? { by: identity } : {}),
      ...(reason ? { reason } : {}),
    });
  }
  return paused.length > 0;
}

/** `which` tells this act from others like it: Temporal takes an update of an id once, however often it is sent. */
export async function tell(
  client: Client,
  handle: WorkflowHandle,
  which: string,
  interruption: Interruption,
): Promise<void> {
  const { activityId, how } = interruption;
  await client.withDeadline(Date.now() + tellMs, () =>
    handle.executeUpdate<void, [Interruption]>('interrupted', {
      updateId: `${activityId}/${how}/${which}`,
      args: [interruption],
    }),
  );
}
