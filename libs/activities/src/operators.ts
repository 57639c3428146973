import type { Client, WorkflowHandle } from '@temporalio/client';

/** Who made this run of a workflow by a reset, and why. */
export async function whoReset(
  client: Client,
  jobId: string,
  runId: string,
): Promise<{ by: string; reason: string | null }> {
  const { events } = await client.workflow.getHandle(jobId, runId).fetchHistory();
  const reset = events
    ?.map(({ workflowTaskFailedEventAttributes }) => workflowTaskFailedEventAttributes)
    // A workflow task that failed otherwise made no run.
    .findLast((failed) => failed?.newRunId);
  return { by: reset?.identity || 'an unknown client', reason: reset?.failure?.message || null };
}

/** Who terminated the workflow, and why. */
export async function whoTerminated(handle: WorkflowHandle): Promise<{ by: string; reason: string | null }> {
  const { events } = await handle.fetchHistory();
  const { reason, identity } = events?.at(-1)?.workflowExecutionTerminatedEventAttributes ?? {};
  return { by: identity || 'an unknown client', reason: reason || null };
}
