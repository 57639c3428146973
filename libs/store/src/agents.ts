import { PerdureError } from '@perdure/job/errors';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { jsonText, storableText } from './json-text.ts';
import type { AgentRecord, AgentStatus, Untimed } from './records.ts';
import { milliseconds } from './times.ts';

/**
 * Writes what an agent offers, over what it offered before; this counts as a beat. `lastBeatAt` is taken from the
 * database's clock, never from the agent's.
 *
 * @throws PerdureError `id-taken` when the id is an agent's of another tenant
 */
export async function announceAgent(db: Database, agent: Untimed<AgentRecord, 'lastBeatAt'>): Promise<void> {
  const { id, tenantId, pool, operatingSystem, slots, busy, softwareVersion, status, startedAt } = agent;
  const offer = {
    displayName: storableText(agent.displayName),
    pool,
    functions: jsonText(agent.functions),
    tools: jsonText(agent.tools),
    operatingSystem,
    slots,
    busy,
    softwareVersion,
    status,
    startedAt,
    lastBeatAt: sql<string>`now()`,
  };
  const { numInsertedOrUpdatedRows } = await db.kysely
    .insertInto('agents')
    .values({ id, tenantId, ...offer })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet(offer).where('agents.tenantId', 'is not distinct from', tenantId),
    )
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 0n)
    throw new PerdureError('id-taken', `Agent ${id} belongs to another tenant`);
}

/** Says that the agent lives. False when the record does not know it: it should announce itself again. */
export async function beat(
  db: Database,
  agentId: string,
  { status, busy }: { status: AgentStatus; busy: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db.kysely
    .updateTable('agents')
    .set({ status, busy, lastBeatAt: sql<string>`now()` })
    .where('id', '=', agentId)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** Calls agents `offline` that have not beaten for so long; returns their ids. The next beat brings one back. */
export async function expireAgents(db: Database, silentForMs: number): Promise<string[]> {
  const rows = await db.kysely
    .updateTable('agents')
    .set({ status: 'offline', busy: 0 })
    .where('status', '<>', 'offline')
    .where(sql<boolean>`last_beat_at < now() - ${silentForMs} * interval '1 millisecond'`)
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** The agents that serve the tenant: its own and everybody's. */
export async function listAgents(db: Database, tenantId: string): Promise<AgentRecord[]> {
  const rows = await serving(db, tenantId).orderBy('id').execute();
  return rows.map(toAgentRecord);
}

export async function getAgent(db: Database, tenantId: string, id: string): Promise<AgentRecord | undefined> {
  const row = await serving(db, tenantId).where('id', '=', id).executeTakeFirst();
  return row && toAgentRecord(row);
}

/** True when an agent that serves the tenant belongs to the pool, be it online or not. */
export async function poolExists(db: Database, tenantId: string, pool: string): Promise<boolean> {
  return (await serving(db, tenantId).where('pool', '=', pool).limit(1).executeTakeFirst()) !== undefined;
}

function serving(db: Database, tenantId: string) {
  return db.kysely
    .selectFrom('agents')
    .selectAll()
    .where((where) => where.or([where('tenantId', '=', tenantId), where('tenantId', 'is', null)]));
}

function toAgentRecord(row: AgentRecord): AgentRecord {
  return { ...row, startedAt: milliseconds(row.startedAt), lastBeatAt: milliseconds(row.lastBeatAt) };
}
