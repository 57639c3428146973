import { parseStart, type JobStart } from '@perdure/job/start';
import { jobWorkflowType, startOptions } from '@perdure/workflows/start';
import type { Client } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { workflowQueue } from './bare/topology.ts';
import type { Http } from './http.ts';

/** What the throughput of a kind is held against. */
export const titles = {
  a: 'bare Temporal workflow, four no-op activities',
  b: 'echo through Temporal, started as the API starts it',
  direct: 'echo through Temporal, started with {function, parameters} alone',
  b4: 'all four stages as activities, through Temporal',
  c: 'echo through the HTTP API',
} as const;

export type Key = keyof typeof titles;

const parameters = { text: 'a few words', numbers: [1, 2, 3] };

export function startOf(fields: object): JobStart {
  const parsed = parseStart({ parameters, ...fields });
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

/** Answers the id of the job once it has ended. */
async function runThroughTemporal(client: Client, start: JobStart): Promise<string> {
  const workflowId = randomUUID();
  await client.workflow.execute(jobWorkflowType, startOptions(workflowId, start));
  return workflowId;
}

export function kindsOf(client: Client, http: Http): Record<Key, () => Promise<string>> {
  const bareOptions = () => ({ workflowId: `bare-${randomUUID()}`, taskQueue: workflowQueue, args: [] });
  const echo = startOf({ function: 'echo', version: '1.0.0', admitted: true });
  const direct = startOf({ function: 'echo' });
  const allStages = startOf({ function: 'all-stages', version: '1.0.0', admitted: true });
  return {
    async a() {
      const options = bareOptions();
      await client.workflow.execute('bare', options);
      return options.workflowId;
    },
    b: () => runThroughTemporal(client, echo),
    direct: () => runThroughTemporal(client, direct),
    b4: () => runThroughTemporal(client, allStages),
    async c() {
      // The answer comes as soon as the record says that the job has ended.
      const { body } = await http.post('/v1/jobs', { function: 'echo', parameters }, { prefer: 'wait=60' });
      const { id, status } = body as { id: string; status: string };
      if (status !== 'COMPLETED') throw new Error(`job ${id} is ${status}`);
      return id;
    },
  };
}
