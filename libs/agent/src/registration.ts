import { randomUUID } from 'node:crypto';
import type { FunctionDefinition } from '@perdure/functions';
import { describeFunction } from '@perdure/functions/catalogue';
import type { Database } from '@perdure/store/database';
import {
  announceAgent,
  announceFunctions,
  type Announcement,
  beat,
  type Orders,
} from '@perdure/store/report';

export type Registration = {
  /** Tells the registry how the agent is, now and not only with the next beat. */
  tell(): Promise<void>;
  /** Says that the agent has left, and beats no more. */
  signOff(): Promise<void>;
};

export type RegistrationOptions = {
  db: Database;
  announcement: Announcement;
  definitions: readonly FunctionDefinition[];
  beatMs: number;
  /** How the agent is at this moment. */
  state(): { busy: number; draining: boolean; lastClaimAt: string | undefined };
  /** Called with what operators want, at each beat. */
  onOrders(orders: Orders): void;
  /** Another process has taken the agent's id. */
  onReplaced(): void;
  warn(message: string, failure: unknown): void;
};

/** Announces the agent and what it offers, and goes on beating. */
export async function register(options: RegistrationOptions): Promise<Registration> {
  const { db, announcement, definitions, state, warn } = options;
  const { id } = announcement;
  const instance = randomUUID();
  const announce = async (): Promise<void> => {
    const registeredAt = new Date().toISOString();
    await announceFunctions(
      db,
      definitions.map((definition) => ({ tenantId: null, ...describeFunction(definition), registeredAt })),
    );
    await announceAgent(db, announcement, instance);
  };
  await announce();

  async function tell(): Promise<void> {
    const { busy, draining, lastClaimAt } = state();
    const status = draining ? 'draining' : busy > 0 ? 'busy' : 'idle';
    try {
      const orders = await beat(db, id, { status, busy, lastClaimAt }, instance);
      // A registry that does not know the agent was restored from a backup, or emptied.
      if (orders === 'unknown') await announce();
      else if (orders === 'replaced') options.onReplaced();
      else options.onOrders(orders);
    } catch (failure) {
      warn('the agent could not tell the registry of itself', failure);
    }
  }
  const beating = setInterval(() => void tell(), options.beatMs);

  return {
    tell,
    async signOff() {
      clearInterval(beating);
      await beat(db, id, { status: 'offline', busy: 0 }, instance).catch((failure: unknown) =>
        warn('the agent could not sign off', failure),
      );
    },
  };
}
