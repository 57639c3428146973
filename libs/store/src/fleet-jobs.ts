import type { Offer } from '@perdure/job/queues';
import { heldStatuses, type Status } from '@perdure/job/status';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { toJobRecord } from './job-rows.ts';
import { jsonText } from './json-text.ts';
import type { JobRecord } from './records.ts';

export type HeldJob = {
  id: string;
  tenantId: string;
  owner: string;
  functionName: string;
  functionVersion: string | null;
  status: Status;
  attempt: number;
};

/** The jobs that the agent has now, those of all tenants. */
export function jobsHeldBy(db: Database, agentId: string): Promise<HeldJob[]> {
  return db.kysely
    .selectFrom('jobs')
    .select(['id', 'tenantId', 'owner', 'functionName', 'functionVersion', 'status', 'attempt'])
    .where('agentId', '=', agentId)
    .where(sql<boolean>`status in (${sql.join(heldStatuses.map((status) => sql.lit(status)))})`)
    .orderBy('startedAt')
    .orderBy('id')
    .execute();
}

/** How many attempts of jobs the agent has lost: it fell silent, or had no room to work. */
export async function lossesOf(db: Database, agentId: string): Promise<number> {
  const { losses } = await db.kysely
    .selectFrom('jobEvents')
    .select(sql<number>`count(*)::integer`.as('losses'))
    .where('agentId', '=', agentId)
    .where(sql<boolean>`code in ('agent-lost', 'agent-unfit')`)
    .executeTakeFirstOrThrow();
  return losses;
}

/** The PENDING jobs of a tenant that the agent could take, those first that are to run first. See `canServe`. */
export async function pendingFor(
  db: Database,
  tenantId: string,
  { agentId, pools, functions, tools, operatingSystem }: Offer,
  limit: number,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select job.id
    from jsonb_to_recordset(${jsonText(functions)}::jsonb) as offered (name text, version text), lateral (
      select id, priority, queued_at from jobs
      where tenant_id = ${tenantId} and status = 'PENDING'
        and function_name = offered.name and function_version = offered.version
        and coalesce(assigned_agent_id, ${agentId}) = ${agentId}
        and (pool is null or assigned_agent_id is not null or pool = any(${[...pools]}::text[]))
        and coalesce(operating_system, ${operatingSystem}) = ${operatingSystem}
        -- A tool that is wanted without a version is contained in any of its name.
        and (tool is null or exists (select from jsonb_array_elements(${jsonText(tools)}::jsonb) as own where own @> tool))
      order by priority, queued_at
      limit ${limit}
    ) as job
    order by job.priority, job.queued_at
    limit ${limit}`.execute(db.kysely);
  return rows.map(({ id }) => id);
}

/** What waits for a pool, and how many jobs of each kind. */
export async function pendingIn(db: Database, tenantId: string, pool: string) {
  return db.kysely
    .selectFrom('jobs')
    .select(['functionName', 'functionVersion', 'tool', 'operatingSystem', 'pool', 'assignedAgentId'])
    .select(sql<number>`count(*)::integer`.as('count'))
    .where('tenantId', '=', tenantId)
    .where(sql<boolean>`status = 'PENDING'`)
    .where('pool', '=', pool)
    .where('assignedAgentId', 'is', null)
    .groupBy(['functionName', 'functionVersion', 'tool', 'operatingSystem', 'pool', 'assignedAgentId'])
    .execute();
}

/** The job, if it waits for an agent. Of whichever tenant: it is for the caller to look at that. */
export async function findPending(db: Database, id: string): Promise<JobRecord | undefined> {
  const row = await db.kysely
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', id)
    .where('status', '=', 'PENDING')
    .executeTakeFirst();
  return row && toJobRecord(row);
}

/** True when a job that the agent holds names this file among its parameters. */
export async function isInputOf(
  db: Database,
  tenantId: string,
  agentId: string,
  fileId: string,
): Promise<boolean> {
  const found = await db.kysely
    .selectFrom('jobs')
    .select('id')
    .where('tenantId', '=', tenantId)
    .where('agentId', '=', agentId)
    .where(sql<boolean>`status in (${sql.join(heldStatuses.map((status) => sql.lit(status)))})`)
    .where(
      sql<boolean>`jsonb_path_exists(parameters, '$.** ? (@ == $file)', ${jsonText({ file: fileId })}::jsonb)`,
    )
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}
