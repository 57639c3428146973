import { waitFor } from '../../support/wait.ts';
import type { House } from './house.ts';
import type { JobsClient } from './jobs-client.ts';

type Pending = { activityId: string; state: string };
type Described = { workflowExecutionInfo: { status: string }; pendingActivities?: Pending[] };

export type Operator = ReturnType<typeof operatorOf>;

/** What an operator does to the workflow of a job with the Temporal CLI, and what stands in the job's history of it. */
export function operatorOf(here: House, api: JobsClient) {
  const workflow = (command: string, id: string, ...args: string[]) =>
    here.operator('workflow', command, '--workflow-id', id, ...args);
  const described = async (id: string): Promise<Described> =>
    JSON.parse(await workflow('describe', id, '--output', 'json')) as Described;
  const nativeStatus = async (id: string): Promise<string> =>
    (await described(id)).workflowExecutionInfo.status;
  return {
    workflow,
    nativeStatus,
    activity: (command: string, id: string, activityId: string, ...args: string[]) =>
      here.operator('activity', command, '--workflow-id', id, '--activity-id', activityId, ...args),
    /** The one activity that is under way. */
    async pendingActivity(id: string): Promise<Pending> {
      const [activity] = (await described(id)).pendingActivities ?? [];
      if (activity === undefined) throw new Error(`job ${id} has no activity under way`);
      return activity;
    },
    untilDeleted: (id: string) =>
      waitFor(
        () =>
          nativeStatus(id).then(
            () => false,
            () => true,
          ),
        { what: 'the deletion', timeoutMs: 60_000, everyMs: 500 },
      ),
    eventOf: async (id: string, type: string) => (await api.history(id)).find((event) => event.type === type),
    untilEvent: (id: string, type: string) =>
      waitFor(async () => (await api.history(id)).find((event) => event.type === type), {
        what: `the event ${type}`,
        timeoutMs: 30_000,
      }),
  };
}
