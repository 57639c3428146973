import { fileURLToPath } from 'node:url';
import type {
  AgentActivities,
  ClaimAnswer,
  Executed,
  OrchestratorActivities,
  RecordEntry,
} from '@perdure/activities';
import { claimQueuesServedBy, orchestratorQueue, stageQueue } from '@perdure/job/queues';
import type { JobEvent } from '@perdure/job/event';
import { CancelledFailure, CompleteAsyncError, Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { freshNamespace, temporalAddress } from '../../../../tests/support/temporal.ts';

export const payloadConverterPath = fileURLToPath(
  import.meta.resolve('@perdure/workflows/payload-converter'),
);
const workflowsPath = fileURLToPath(import.meta.resolve('@perdure/workflows/workflows'));

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

/** The workflows as a worker runs them; packed once a test file. */
export function workflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  bundle ??= bundleWorkflowCode({ workflowsPath, payloadConverterPath, logger: new DefaultLogger('WARN') });
  return bundle;
}

/** The real workflow on a real server; what it calls are activities that a test steers. Records are kept as PostgreSQL keeps them: by seq. */
export type StageSet = {
  client: Client;
  namespace: string;
  records: RecordEntry[];
  eventsOf(jobId: string): JobEvent[];
  /** An agent that offers `echo@1.0.0`; what is not given behaves like a function that returns at once. */
  agent(id: string, pool: string | undefined, activities?: Partial<AgentActivities>): Promise<void>;
  /** Ends an agent as a crash would: what it runs is never answered. */
  close(): Promise<void>;
};

export async function openStageSet(orchestrator: Partial<OrchestratorActivities> = {}): Promise<StageSet> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const namespace = await freshNamespace();
  const connection = await NativeConnection.connect({ address: temporalAddress() });
  const clientConnection = await Connection.connect({ address: temporalAddress() });
  const client = new Client({
    connection: clientConnection,
    namespace,
    dataConverter: { payloadConverterPath },
  });
  const records: RecordEntry[] = [];
  const running: { worker: Worker; done: Promise<void> }[] = [];

  function run(worker: Worker): void {
    running.push({ worker, done: worker.run() });
  }

  run(
    await Worker.create({
      connection,
      namespace,
      taskQueue: orchestratorQueue,
      workflowBundle: await workflowBundle(),
      dataConverter: { payloadConverterPath },
      stickyQueueScheduleToStartTimeout: '1 second',
      activities: {
        record: async (entry: RecordEntry) => void records.push(entry),
        admit: async (start: RecordEntry['start']) => ({
          admitted: true,
          start: { ...start, version: start.version ?? '1.0.0', admitted: true },
        }),
        hold: () => Promise.reject(new CompleteAsyncError()),
        requestNativeCancel: async (jobId: string) => void (await client.workflow.getHandle(jobId).cancel()),
        ...orchestrator,
      },
    }),
  );

  return {
    client,
    namespace,
    records,
    eventsOf: (jobId) => {
      const bySeq = new Map(
        records
          .filter(({ state }) => state.jobId === jobId)
          .flatMap(({ events }) => events.map((event) => [event.seq, event] as const)),
      );
      return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
    },
    async agent(id, pool, activities = {}) {
      const { claim, ...stages } = { ...obedient(id), ...activities };
      const offer = {
        agentId: id,
        functions: [{ name: 'echo', version: '1.0.0' }],
        tools: [],
        operatingSystem: 'linux',
        pools: pool === undefined ? [] : [pool],
      };
      const common = { connection, namespace, identity: id, shutdownForceTime: '1 second' };
      // One process may poll a queue once: the agent of a pool leaves `any` to the one without.
      const polled = (queue: string) =>
        !queue.includes('#') && (pool === undefined || !queue.startsWith('claim/any/'));
      for (const taskQueue of claimQueuesServedBy(offer).filter(polled)) {
        run(await Worker.create({ ...common, taskQueue, activities: { claim } }));
      }
      run(
        await Worker.create({
          ...common,
          taskQueue: stageQueue(id),
          activities: stages,
          maxHeartbeatThrottleInterval: '100 milliseconds',
        }),
      );
    },
    async close() {
      for (const { worker } of running) if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.allSettled(running.map(({ done }) => done));
      await clientConnection.close();
      await connection.close();
    },
  };
}

type Claimed = Extract<ClaimAnswer, { kind: 'claimed' }>;

/** The answer of an agent that took a job, and found nothing to object to. */
export function aClaim(agentId: string, change: Partial<Claimed> = {}): Claimed {
  return {
    kind: 'claimed',
    agentId,
    claimedAt: new Date().toISOString(),
    checkedAt: new Date().toISOString(),
    verdict: { kind: 'valid' },
    retry: { maximumAttempts: 1, initialIntervalMs: 10, backoffCoefficient: 1, maximumIntervalMs: 10 },
    leaseMs: 2_000,
    ...change,
  };
}

/** What a function returned that has no files. */
export function executed(): Executed {
  return {
    executedAt: new Date().toISOString(),
    outcome: { output: { echo: {} }, files: [], resultFile: null },
  };
}

/** An agent that does everything right, at once. */
function obedient(agentId: string): AgentActivities {
  return {
    claim: () => Promise.resolve(aClaim(agentId)),
    validate: () => Promise.resolve(),
    execute: () => Promise.resolve(executed()),
    upload: () => Promise.resolve({ output: null, files: [], resultFile: null }),
  };
}

/** Runs until it is canceled, beating; then ends as canceled. */
export async function untilCanceled(): Promise<never> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 100);
  try {
    await context.cancelled;
    throw new CancelledFailure('stopped');
  } finally {
    clearInterval(beat);
  }
}

/** Never beats and never answers, like an agent that was killed. */
export function silent(): Promise<never> {
  return Context.current().cancelled.then(
    () => new Promise<never>(() => undefined),
    () => new Promise<never>(() => undefined),
  );
}
