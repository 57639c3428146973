import proto from '@temporalio/proto';
import type { Client, WorkflowHandle } from '@temporalio/client';

const { WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW } = proto.temporal.api.enums.v1.WorkflowTaskFailedCause;

/** Who made this run of a workflow by a reset, and why. */
export async function whoReset(
  client: Client,
  jobId: string,
  runId: string,
): Promise<{ by: string; reason: string | null }> {
  const { events } = await client.workflow.getHandle(jobId, runId).fetchHistory();
  const reset = events
    ?.map(({ workflowTaskFailedEventAttributes }) => workflowTaskFailedEventAttributes)
    .findLast((failed) => failed?.cause === WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW);
  return { by: reset?.identity || 'an unknown client', reason: reset?.failure?.message || null };
}

/** Who terminated the workflow, and why. */
export async function whoTerminated(handle: WorkflowHandle): Promise<{ by: string; reason: string | null }> {
  const { events } = await handle.fetchHistory();
  const { reason, identity } = events?.at(-1)?.workflowExecutionTerminatedEventAttributes ?? {};
  return { by: identity || 'an unknown client', reason: reason || null };
}
