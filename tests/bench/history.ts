import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';

const { EventType } = proto.temporal.api.enums.v1;

export type HistoryCount = {
  events: number;
  actions: number;
  activities: number;
  workflowTasks: number;
  localActivityBatches: number;
  upserts: number;
};

/**
 * How many events a job leaves in its history, and how many Actions Temporal Cloud would bill for them, by the rules of
 * https://docs.temporal.io/cloud/actions: the start of a workflow (the search attributes in it are free), each start or retry of an activity, all
 * local activities of one workflow task together, each signal, each upsert of search attributes, each timer. Queries and heartbeats are
 * billed as well, but stand in no history; `echo` has none.
 */
export async function countHistory(client: Client, workflowId: string): Promise<HistoryCount> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const all = events ?? [];
  const count = (type: number): number => all.filter(({ eventType }) => eventType === type).length;
  const markers = all.flatMap(({ markerRecordedEventAttributes }) => markerRecordedEventAttributes ?? []);
  const localActivityBatches = new Set(
    markers
      .filter(({ markerName }) => markerName === 'core_local_activity')
      .map(({ workflowTaskCompletedEventId }) => String(workflowTaskCompletedEventId)),
  ).size;
  const activities = all.reduce(
    (sum, { activityTaskStartedEventAttributes: started }) => sum + (started?.attempt ?? 0),
    0,
  );
  const upserts = count(EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  const started = count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  const signals = count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
  const timers = count(EventType.EVENT_TYPE_TIMER_STARTED);
  return {
    events: all.length,
    actions: started + activities + localActivityBatches + signals + upserts + timers,
    activities,
    workflowTasks: count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED),
    localActivityBatches,
    upserts,
  };
}
