import { rm } from 'node:fs/promises';
import { createAgentActivities } from '@perdure/activities/agent';
import type { FunctionDefinition } from '@perdure/functions';
import { claimQueuesServedBy, type Tool } from '@perdure/job/queues';
import type { Storage } from '@perdure/storage';
import type { Database } from '@perdure/store/database';
import { attemptIsOver, type Orders } from '@perdure/store/report';
import type { NativeConnection } from '@temporalio/worker';
import { createClaimWorker } from './claim-worker.ts';
import { openClaimWorkers } from './claim-workers.ts';
import { untilFit } from './fitness.ts';
import { offerOf, packsOf } from './offer.ts';
import { register } from './registration.ts';
import { type Limits, openSession } from './runner/session.ts';
import { openSlots } from './slots.ts';
import { createStageWorker } from './stage-worker.ts';

export type AgentOptions = {
  id: string;
  displayName: string;
  /** Operators may put the agent into others as well. */
  pools: readonly string[];
  tools: readonly Tool[];
  operatingSystem: string;
  /** Jobs held at once. */
  slots: number;
  /** By pack: what the agent can run. */
  packs: ReadonlyMap<string, readonly FunctionDefinition[]>;
  /** What a job may use where its function does not say. */
  limits?: Partial<Limits>;
  /** A stage of this agent that does not beat for so long is lost. */
  leaseMs: number;
  /** How long running jobs may go on after `drain`; then they are given back. */
  drainMs: number;
  /** A larger file is no result. */
  maxFileBytes: number;
  /** The agent tells the registry of itself so often, and learns what operators want. */
  beatMs: number;
  /** An agent that has run out of room looks so often whether there is some again. */
  fitnessMs: number;
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
  const { id, connection, namespace, db, storage, scratchRoot, warn } = options;
  const packOf = packsOf(options);
  const definitions = [...packOf.keys()];
  let offer = offerOf(options, definitions);
  // What an earlier process of this agent left behind belongs to attempts that are lost.
  await rm(scratchRoot, { recursive: true, force: true });

  const slots = openSlots({
    capacity: options.slots,
    idleMs: 2 * options.leaseMs,
    lookMs: 1_000,
    isOver: ({ jobId, attempt }) => attemptIsOver(db, { jobId, attempt, agentId: id }),
  });
  let leaving = false;
  let ordered = false;
  let lastClaimAt: string | undefined;

  function takeNoneUntilFit(): void {
    warn('there is no room left: no job is taken until there is', undefined);
    slots.close('unfit');
    void untilFit(scratchRoot, storage, options.fitnessMs).then(() => slots.open('unfit'));
  }

  const { claim, ...stages } = createAgentActivities({
    agentId: id,
    db,
    storage,
    slots,
    offer: () => offer,
    functions: new Map(
      definitions.map((definition) => [`${definition.name}@${definition.version}`, definition]),
    ),
    openSession: ({ definition, scratch }) =>
      openSession({
        pack: packOf.get(definition) ?? '',
        definition,
        scratch,
        limits: options.limits,
      }),
    scratchRoot,
    leaseMs: options.leaseMs,
    maxFileBytes: options.maxFileBytes,
    onUnfit: takeNoneUntilFit,
  });
  const at = { connection, namespace, identity: id };
  const stageWorker = await createStageWorker({ ...at, stages, slots: options.slots });
  const claiming = openClaimWorkers((taskQueue) =>
    createClaimWorker({
      ...at,
      taskQueue,
      slots,
      claim: async (request) => {
        const answer = await claim(request);
        if (answer.kind === 'claimed') lastClaimAt = answer.claimedAt;
        return answer;
      },
    }),
  );
  const replaced = Promise.withResolvers<never>();
  replaced.promise.catch(() => undefined);

  const registration = await register({
    db,
    announcement: {
      id,
      pools: offer.pools,
      functions: offer.functions,
      tools: offer.tools,
      operatingSystem: offer.operatingSystem,
      tenantId: null,
      kind: 'native',
      displayName: options.displayName,
      slots: options.slots,
      softwareVersion: options.softwareVersion,
      leaseSeconds: Math.ceil(options.leaseMs / 1_000),
      startedAt: new Date().toISOString(),
    },
    definitions,
    beatMs: options.beatMs,
    state: () => ({ busy: slots.held(), draining: leaving || ordered, lastClaimAt }),
    onOrders: follow,
    onReplaced: () =>
      replaced.reject(new Error(`another process runs under the agent id ${id}: this one leaves`)),
    warn,
  });

  function follow({ draining, pools }: Orders): void {
    if (draining !== ordered) {
      ordered = draining;
      if (draining) slots.close('order');
      else slots.open('order');
      void registration.tell();
    }
    if (String(pools) === String(offer.pools)) return;
    offer = { ...offer, pools };
    claiming
      .serve(claimQueuesServedBy(offer))
      .catch((failure: unknown) => warn('a pool is not served', failure));
  }

  await claiming.serve(claimQueuesServedBy(offer));
  void registration.tell();
  const staging = stageWorker.run();
  const ended = (async () => {
    try {
      await Promise.race([staging, claiming.failed, replaced.promise]);
    } finally {
      await leave();
      await registration.signOff();
    }
  })();
  // Who waits for `ended` hears of a failure; until somebody does, it is no unhandled rejection.
  ended.catch(() => undefined);

  let left: Promise<void> | undefined;
  /** Ends the workers: in good order, or what is left of them. */
  function leave(): Promise<void> {
    left ??= (async () => {
      leaving = true;
      void registration.tell();
      const empty = slots.drain();
      const closed = claiming.close();
      await Promise.race([empty, pause(options.drainMs)]);
      await closed;
      if (stageWorker.getState() === 'RUNNING') stageWorker.shutdown();
      await staging.catch(() => undefined);
    })();
    return left;
  }
  return { drain: () => leave().then(() => ended), ended };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
