import { sql } from 'kysely';
import type { Database } from './database.ts';
import { storableText } from './json-text.ts';
import type { AgentRecord, PoolRecord } from './records.ts';
import { milliseconds } from './times.ts';

/** The tenant's pools and everybody's, by name. A pool of one name is one pool, whoever made it: its agents are those that serve the tenant. */
export async function listPools(db: Database, tenantId: string): Promise<PoolRecord[]> {
  const rows = await visible(db, tenantId).execute();
  return rows.map(toPoolRecord);
}

export async function getPool(db: Database, tenantId: string, name: string): Promise<PoolRecord | undefined> {
  const row = await visible(db, tenantId).where('name', '=', name).executeTakeFirst();
  return row && toPoolRecord(row);
}

export async function poolExists(db: Database, tenantId: string, name: string): Promise<boolean> {
  return (await visible(db, tenantId).where('name', '=', name).executeTakeFirst()) !== undefined;
}

/** False when the tenant sees a pool of this name already. */
export async function createPool(
  db: Database,
  pool: Pick<PoolRecord, 'name' | 'description'> & { tenantId: string; createdBy: string },
): Promise<boolean> {
  const { name, tenantId, createdBy, description } = pool;
  const { rows } = await sql`
    insert into pools (tenant_id, name, description, created_by)
    select ${tenantId}::uuid, ${name}, ${description && storableText(description)}, ${storableText(createdBy)}
    where not exists (select from pools where name = ${name} and (tenant_id = ${tenantId} or tenant_id is null))
    on conflict do nothing returning name`.execute(db.kysely);
  return rows.length === 1;
}

/** Removes a pool that the tenant made and in which no agent is. */
export async function deletePool(db: Database, tenantId: string, name: string): Promise<boolean> {
  const { numDeletedRows } = await db.kysely
    .deleteFrom('pools')
    .where('tenantId', '=', tenantId)
    .where('name', '=', name)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('poolMembers').select('pool').where('pool', '=', name))),
    )
    .executeTakeFirstOrThrow();
  return numDeletedRows === 1n;
}

type Member = Pick<AgentRecord, 'id' | 'tenantId'>;

/** An agent that announced the pool itself stays what it said. */
export async function addToPool(db: Database, pool: string, agent: Member): Promise<void> {
  await db.kysely
    .insertInto('poolMembers')
    .values({ tenantId: agent.tenantId, pool, agentId: agent.id, announced: false })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Also what the agent announced itself: until it announces itself again. */
export async function removeFromPool(db: Database, pool: string, agent: Member): Promise<void> {
  await db.kysely
    .deleteFrom('poolMembers')
    .where('tenantId', 'is not distinct from', agent.tenantId)
    .where('pool', '=', pool)
    .where('agentId', '=', agent.id)
    .execute();
}

function visible(db: Database, tenantId: string) {
  return db.kysely
    .selectFrom('pools')
    .distinctOn('name')
    .selectAll()
    .select(
      sql<string[]>`array(
        select agent_id from pool_members join agents on agents.id = agent_id
        where pool = pools.name and (agents.tenant_id = ${tenantId} or agents.tenant_id is null) order by agent_id)`.as(
        'agentIds',
      ),
    )
    .where((where) => where.or([where('tenantId', '=', tenantId), where('tenantId', 'is', null)]))
    .orderBy('name')
    .orderBy(sql`tenant_id nulls last`);
}

function toPoolRecord(row: PoolRecord): PoolRecord {
  return { ...row, createdAt: milliseconds(row.createdAt) };
}
