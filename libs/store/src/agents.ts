import { PerdureError } from '@perdure/job/errors';
import { heldStatuses } from '@perdure/job/status';
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import { jsonText, storableText } from './json-text.ts';
import { hasSqlState, sqlStates } from './pg-errors.ts';
import type { AgentRecord, AgentStatus, Announcement } from './records.ts';
import type { Schema } from './schema.ts';
import { milliseconds } from './times.ts';
import { inTransaction } from './transactions.ts';

/** Agents that were not heard of for so long are not listed any more. */
const listedForDays = 7;

/**
 * Writes what an agent offers, over what it offered before; this counts as a beat. Its pools are made where they do not exist.
 * `instance` is the process that speaks: an earlier one of the same id learns by its next beat that it was replaced.
 *
 * @throws PerdureError `id-taken` when the id is an agent's of another tenant
 */
export async function announceAgent(
  db: Database,
  announcement: Announcement,
  instance: string | null = null,
): Promise<void> {
  const { id, tenantId, kind, operatingSystem, slots, softwareVersion, leaseSeconds, startedAt } =
    announcement;
  const offer = {
    kind,
    instance,
    displayName: storableText(announcement.displayName),
    functions: jsonText(announcement.functions),
    tools: jsonText(announcement.tools),
    operatingSystem,
    slots,
    softwareVersion,
    leaseSeconds,
    startedAt,
    status: 'idle',
    busy: 0,
    lastBeatAt: sql<string>`now()`,
  } as const;
  await inTransaction(db, async (transaction) => {
    const { numInsertedOrUpdatedRows } = await transaction
      .insertInto('agents')
      .values({ id, tenantId, ...offer })
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet(offer).where('agents.tenantId', 'is not distinct from', tenantId),
      )
      .executeTakeFirstOrThrow()
      .catch((error: unknown) => {
        // To one tenant the row of another is not there, but in the way.
        throw hasSqlState(error, sqlStates.insufficientPrivilege) ? taken(id, error) : error;
      });
    if (numInsertedOrUpdatedRows === 0n) throw taken(id);
    await announcePools(transaction, announcement);
  });
}

const taken = (id: string, cause?: unknown): PerdureError =>
  new PerdureError('id-taken', `Agent ${id} belongs to another tenant`, { cause });

async function announcePools(db: Kysely<Schema>, { id, tenantId, pools }: Announcement): Promise<void> {
  const names = [...new Set(pools)].sort();
  await db.deleteFrom('poolMembers').where('agentId', '=', id).where('announced', '=', true).execute();
  if (names.length === 0) return;
  await db
    .insertInto('pools')
    .values(names.map((name) => ({ name, tenantId })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await db
    .insertInto('poolMembers')
    .values(names.map((pool) => ({ tenantId, pool, agentId: id, announced: true })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What an agent is to know of itself. */
export type Orders = { draining: boolean; pools: string[] };

/**
 * Says that the agent lives, and answers what operators want of it. `unknown`: it should announce itself again; `replaced`: a later
 * process has its id.
 */
export async function beat(
  db: Database,
  agentId: string,
  said: { status: AgentStatus; busy: number; lastClaimAt?: string | undefined },
  instance: string | null = null,
): Promise<Orders | 'unknown' | 'replaced'> {
  const { status, busy, lastClaimAt } = said;
  const orders = await db.kysely
    .updateTable('agents')
    .set({ status, busy, lastBeatAt: sql<string>`now()`, ...(lastClaimAt && { lastClaimAt }) })
    .where('id', '=', agentId)
    .where('instance', 'is not distinct from', instance)
    .returning([sql<boolean>`drain_requested_at is not null`.as('draining'), poolsOf.as('pools')])
    .executeTakeFirst();
  if (orders !== undefined) return orders;
  const other = await db.kysely
    .selectFrom('agents')
    .select('id')
    .where('id', '=', agentId)
    .executeTakeFirst();
  return other === undefined ? 'unknown' : 'replaced';
}

const poolsOf = sql<string[]>`array(select pool from pool_members where agent_id = agents.id order by pool)`;

/** The rule by which an agent is offline: no process has to find it out. Ten seconds at least, since beats may be late. */
const silent = sql<boolean>`last_beat_at < now() - greatest(10, 2 * lease_seconds) * interval '1 second'`;
const held = sql<number>`(select count(*)::integer from jobs where jobs.agent_id = agents.id
  and jobs.status in (${sql.join(heldStatuses.map((status) => sql.lit(status)))}))`;

/** The agents that serve the tenant, its own and everybody's, as far as they were heard of lately. */
export async function listAgents(db: Database, tenantId: string): Promise<AgentRecord[]> {
  const rows = await serving(db, tenantId)
    .where(sql<boolean>`last_beat_at > now() - ${sql.lit(listedForDays)} * interval '1 day'`)
    .orderBy('id')
    .execute();
  return rows.map(toAgentRecord);
}

export async function getAgent(db: Database, tenantId: string, id: string): Promise<AgentRecord | undefined> {
  const row = await serving(db, tenantId).where('id', '=', id).executeTakeFirst();
  return row && toAgentRecord(row);
}

function serving(db: Database, tenantId: string) {
  return db.kysely
    .selectFrom('agents')
    .select([
      'id',
      'tenantId',
      'kind',
      'displayName',
      'functions',
      'tools',
      'operatingSystem',
      'slots',
      'softwareVersion',
      'leaseSeconds',
      'startedAt',
      'lastBeatAt',
      'lastClaimAt',
      'drainRequestedAt',
      'drainRequestedBy',
      poolsOf.as('pools'),
      // An HTTP agent does not say how much it does; the record knows.
      sql<number>`case when ${silent} then 0 when kind = 'http' then ${held} else busy end`.as('busy'),
      sql<AgentStatus>`case when ${silent} then 'offline' when kind = 'native' then status
        when drain_requested_at is not null then 'draining' when ${held} > 0 then 'busy' else 'idle' end`.as(
        'status',
      ),
    ])
    .where((where) => where.or([where('tenantId', '=', tenantId), where('tenantId', 'is', null)]));
}

function toAgentRecord(row: AgentRecord): AgentRecord {
  return {
    ...row,
    startedAt: milliseconds(row.startedAt),
    lastBeatAt: milliseconds(row.lastBeatAt),
    lastClaimAt: milliseconds(row.lastClaimAt),
    drainRequestedAt: milliseconds(row.drainRequestedAt),
  };
}
