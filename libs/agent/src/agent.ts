import { rm } from 'node:fs/promises';
import { createAgentActivities } from '@perdure/activities/agent';
import type { FunctionDefinition } from '@perdure/functions';
import { describeFunction } from '@perdure/functions/catalogue';
import { claimQueuesServedBy, type Offer, stageQueue } from '@perdure/job/queues';
import type { Storage } from '@perdure/storage';
import type { Database } from '@perdure/store/database';
import { announceAgent, announceFunctions, beat } from '@perdure/store/report';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { createClaimWorker } from './claim-worker.ts';
import { openSession } from './runner/session.ts';
import { openSlots } from './slots.ts';

export type AgentOptions = {
  id: string;
  pool: string | undefined;
  /** Jobs held at once. */
  slots: number;
  /** By pack: what the agent can run. */
  packs: ReadonlyMap<string, readonly FunctionDefinition[]>;
  /** A stage of this agent that does not beat for so long is lost. */
  leaseMs: number;
  /** How long running jobs may go on after `drain`; then they are given back. */
  drainMs: number;
  /** The agent tells the registry of itself so often. */
  beatMs: number;
  scratchRoot: string;
  softwareVersion: string;
  connection: NativeConnection;
  namespace: string;
  db: Database;
  storage: Storage;
  /** Told of what goes wrong beside a job. */
  warn: (message: string, failure: unknown) => void;
};

export type Agent = {
  /** Claims nothing more; finishes what it holds, or gives it back after `drainMs`. Resolves when the agent has left. */
  drain(): Promise<void>;
  /** Settles when the agent has ended; rejects when it could not go on. */
  ended: Promise<void>;
};

/** Announces the agent, and lets it claim and run jobs until it is drained. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { id, connection, namespace, db, warn } = options;
  const offered = [...options.packs].flatMap(([pack, definitions]) =>
    definitions.filter(runsHere).map((definition) => ({ pack, definition })),
  );
  const offer: Offer = {
    agentId: id,
    ...(options.pool === undefined ? {} : { pool: options.pool }),
    functions: offered.map(({ definition: { name, version } }) => ({ name, version })),
    tools: [],
    operatingSystem: process.platform,
  };
  // What an earlier process of this agent left behind belongs to attempts that are lost.
  await rm(options.scratchRoot, { recursive: true, force: true });
  const announceAll = () =>
    announce(
      options,
      offer,
      offered.map(({ definition }) => definition),
    );
  await announceAll();

  const slots = openSlots(options.slots, 2 * options.leaseMs);
  const packOf = new Map(offered.map(({ pack, definition }) => [definition, pack]));
  const { claim, ...stages } = createAgentActivities({
    agentId: id,
    db,
    storage: options.storage,
    slots,
    functions: new Map(
      offered.map(({ definition }) => [`${definition.name}@${definition.version}`, definition]),
    ),
    openSession: ({ definition, scratch }) =>
      openSession({
        pack: packOf.get(definition) ?? '',
        functionName: definition.name,
        functionVersion: definition.version,
        scratch,
      }),
    scratchRoot: options.scratchRoot,
    leaseMs: options.leaseMs,
  });
  const stageWorker = await Worker.create({
    connection,
    namespace,
    identity: id,
    taskQueue: stageQueue(id),
    activities: stages,
    // Stages come only for jobs that hold a slot, so the slots are the limit; an old attempt may still be on its way out.
    maxConcurrentActivityTaskExecutions: 2 * options.slots + 10,
    maxHeartbeatThrottleInterval: '1 second',
    shutdownForceTime: '10 seconds',
  });
  const claimWorkers = await Promise.all(
    claimQueuesServedBy(offer).map((taskQueue) =>
      createClaimWorker({ connection, namespace, identity: id, taskQueue, claim, slots }),
    ),
  );

  let leaving = false;
  const tell = () => {
    const busy = slots.held();
    const status = leaving ? 'draining' : busy > 0 ? 'busy' : 'idle';
    beat(db, id, { status, busy })
      // A registry that does not know the agent was restored from a backup, or emptied.
      .then((known) => (known ? undefined : announceAll()))
      .catch((failure: unknown) => warn('the agent could not tell the registry of itself', failure));
  };
  const beating = setInterval(tell, options.beatMs);

  const claiming = Promise.all(claimWorkers.map((worker) => worker.run()));
  const staging = stageWorker.run();
  const ended = (async () => {
    try {
      await Promise.all([claiming, staging]);
    } finally {
      clearInterval(beating);
      await beat(db, id, { status: 'offline', busy: 0 }).catch((failure: unknown) =>
        warn('the agent could not sign off', failure),
      );
    }
  })();
  // Who waits for `ended` hears of a failure; until somebody does, it is no unhandled rejection.
  ended.catch(() => undefined);

  let drained: Promise<void> | undefined;
  async function drain(): Promise<void> {
    leaving = true;
    tell();
    const empty = slots.drain();
    for (const worker of claimWorkers) worker.shutdown();
    await Promise.race([empty, pause(options.drainMs)]);
    stageWorker.shutdown();
    await ended;
  }
  return { drain: () => (drained ??= drain()), ended };
}

async function announce(
  options: AgentOptions,
  offer: Offer,
  definitions: readonly FunctionDefinition[],
): Promise<void> {
  const now = new Date().toISOString();
  await announceFunctions(
    options.db,
    definitions.map((definition) => ({ tenantId: null, ...describeFunction(definition), registeredAt: now })),
  );
  await announceAgent(options.db, {
    id: offer.agentId,
    tenantId: null,
    displayName: offer.agentId,
    pool: offer.pool ?? null,
    functions: [...offer.functions],
    tools: [...offer.tools],
    operatingSystem: offer.operatingSystem,
    slots: options.slots,
    busy: 0,
    softwareVersion: options.softwareVersion,
    status: 'idle',
    startedAt: now,
    lastBeatAt: now,
  });
}

function runsHere({ operatingSystems }: FunctionDefinition): boolean {
  return operatingSystems.length === 0 || operatingSystems.includes(process.platform);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
