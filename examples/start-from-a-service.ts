/**
 * A backend service starts a job through Temporal itself: no HTTP, no API key, no package of Perdure's. The job is a full citizen:
 * the API lists it, and answers for its status, history, logs and result.
 *
 *     npm start                                  # in one terminal
 *     node examples/start-from-a-service.ts      # in another, with Node 24; takes [address [namespace]] of Temporal
 */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, Client, Connection, WorkflowFailedError } from '@temporalio/client';

/** The start argument (libs/job/src/start.ts knows all its fields) and what a job returns. */
type JobWorkflow = (start: {
  function: string;
  version?: string;
  parameters?: object;
  owner?: string;
  labels?: Record<string, string>;
}) => Promise<{ output: object | null; files: { name: string; fileId: string }[] }>;

const [address = '127.0.0.1:7233', namespace = 'default'] = process.argv.slice(2);
const connection = await Connection.connect({ address });
const client = new Client({ connection, namespace });

/** The workflow's id is the job's id. Take one that your own data give you (an order number), and a repeat makes no second job. */
const jobId = `example-${randomUUID()}`;

const handle = await client.workflow.start<JobWorkflow>('job', {
  workflowId: jobId,
  taskQueue: 'perdure',
  // Ids are unique for ever, also when the job is over.
  workflowIdReusePolicy: 'REJECT_DUPLICATE',
  args: [
    { function: 'count', parameters: { to: 3, everyMs: 300 }, owner: 'billing', labels: { order: '4711' } },
  ],
});
console.log(`started ${jobId}`);

try {
  // Waits to the end, without polling.
  const { output, files } = await handle.result();
  console.log(`completed ${JSON.stringify({ output, files })}`);
} catch (error) {
  if (!(error instanceof WorkflowFailedError)) throw error;
  const { cause } = error;
  // A failed job says why by an error code of docs/errors.md; a canceled one comes as a CancelledFailure.
  console.log(`ended ${cause instanceof ApplicationFailure ? cause.type : cause?.name}: ${cause?.message}`);
  process.exitCode = 1;
} finally {
  await connection.close();
}
