import { Worker } from '@temporalio/worker';
import { connect, runUntilSignal } from './process.ts';
import { type Activities, sharedQueue } from './topology.ts';

/** The worker of the bare activities: polls the shared queue and its own, like an agent. Takes the address of the server. */
const [address = ''] = process.argv.slice(2);
const ownQueue = `bare-agent/${process.pid}`;
const activities: Activities = {
  claim: () => Promise.resolve(ownQueue),
  nothing: () => Promise.resolve(),
};
const connection = await connect(address);
const workers = await Promise.all(
  [sharedQueue, ownQueue].map((taskQueue) => Worker.create({ connection, taskQueue, activities })),
);
await runUntilSignal(workers, connection);
