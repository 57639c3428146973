import { clip } from '@perdure/job/errors';
import { orchestratorQueue } from '@perdure/job/queues';
import type { JobStart } from '@perdure/job/start';
import {
  type Priority,
  type SearchAttributePair,
  TypedSearchAttributes,
  WorkflowIdReusePolicy,
} from '@temporalio/common';
import { searchAttributes } from './search-attributes.ts';

/** The type name of the workflow of a job. */
export const jobWorkflowType = 'job';

/** A keyword over 255 characters makes a workflow invisible on PostgreSQL, without any error: so they are cut. */
const maxKeyword = 255;

/** What a job is found by in the Temporal UI from its start on. */
export function searchAttributesOf(start: JobStart): SearchAttributePair[] {
  const { model } = start.parameters;
  return [
    { key: searchAttributes.status, value: 'PENDING' },
    {
      key: searchAttributes.function,
      value: start.version === undefined ? start.function : `${start.function}@${start.version}`,
    },
    { key: searchAttributes.tenant, value: start.tenantId },
    ...(start.pool === undefined ? [] : [{ key: searchAttributes.pool, value: start.pool }]),
    ...(typeof model === 'string' ? [{ key: searchAttributes.model, value: clip(model, maxKeyword) }] : []),
  ];
}

/**
 * Options for `client.workflow.start(jobWorkflowType, startOptions(…))`. Starting is idempotent by the id: a job whose workflow exists, or
 * has ever existed, answers with WorkflowExecutionAlreadyStartedError.
 */
export function startOptions(id: string, start: JobStart) {
  return {
    workflowId: id,
    taskQueue: orchestratorQueue,
    args: [start] as [JobStart],
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    typedSearchAttributes: new TypedSearchAttributes(searchAttributesOf(start)),
    memo: {
      owner: start.owner,
      ...(start.name === undefined ? {} : { name: start.name }),
      ...(start.rerunOf === undefined ? {} : { rerunOf: start.rerunOf }),
      ...(Object.keys(start.labels).length > 0 ? { labels: start.labels } : {}),
    },
    // The UI renders summaries as Markdown: nothing that a user typed stands here.
    staticSummary: `${start.function}@${start.version ?? 'newest'}`,
    priority: priorityOf(start),
  };
}

/** Temporal's own fields: priority 1 (first) to 5 (last), fairness by tenant. */
export function priorityOf(start: JobStart): Priority {
  return { priorityKey: start.priority, fairnessKey: start.tenantId };
}
