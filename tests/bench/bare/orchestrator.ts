import { Worker } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { connect, runUntilSignal } from './process.ts';
import { workflowQueue } from './topology.ts';

/** The worker of the bare workflow: a process of its own, like Perdure's orchestrator. Takes the address of the server. */
const [address = ''] = process.argv.slice(2);
const connection = await connect(address);
const worker = await Worker.create({
  connection,
  taskQueue: workflowQueue,
  workflowsPath: fileURLToPath(import.meta.resolve('./workflow.ts')),
});
await runUntilSignal([worker], connection);
