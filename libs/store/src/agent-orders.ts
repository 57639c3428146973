import { sql } from 'kysely';
import type { Database } from './database.ts';
import { storableText } from './json-text.ts';

/** Asks an agent to take no more jobs; it learns so with its next beat. A second time changes nothing. */
export async function drainAgent(db: Database, agentId: string, by: string): Promise<void> {
  await db.kysely
    .updateTable('agents')
    .set({ drainRequestedAt: sql<string>`now()`, drainRequestedBy: storableText(by) })
    .where('id', '=', agentId)
    .where('drainRequestedAt', 'is', null)
    .execute();
}

export async function resumeAgent(db: Database, agentId: string): Promise<void> {
  await db.kysely
    .updateTable('agents')
    .set({ drainRequestedAt: null, drainRequestedBy: null })
    .where('id', '=', agentId)
    .execute();
}
