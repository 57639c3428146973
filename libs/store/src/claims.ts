import { heldStatuses } from '@perdure/job/status';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { inTransaction } from './transactions.ts';

/** A claim that has been under way for longer has come to nothing. */
const openForSeconds = 10;
const keptForDays = 1;

export type Claim = { jobId: string; attempt: number | null };
/** Whose claim, and under which id the agent made it. */
export type ClaimKey = { tenantId: string; agentId: string; claimId: string };

/** The claim that the agent has made under this id before, if it is still kept. */
export function findClaim(
  db: Database,
  { tenantId, agentId, claimId }: ClaimKey,
): Promise<Claim | undefined> {
  return db.kysely
    .selectFrom('claims')
    .select(['jobId', 'attempt'])
    .where('tenantId', '=', tenantId)
    .where('agentId', '=', agentId)
    .where('claimId', '=', claimId)
    .executeTakeFirst();
}

/**
 * Notes that the agent is about to claim the job, if it has a slot for it: jobs held and claims under way never exceed its slots, whoever
 * else claims for it at the same time. A note of the same id for another job is overwritten.
 */
export async function openClaim(
  db: Database,
  { tenantId, agentId, claimId }: ClaimKey,
  jobId: string,
): Promise<boolean> {
  return inTransaction(db, async (transaction) => {
    // The lock makes claims of one agent follow each other; it must be had before anything is counted.
    const agent = await transaction
      .selectFrom('agents')
      .select(['slots'])
      .where('tenantId', '=', tenantId)
      .where('id', '=', agentId)
      .forNoKeyUpdate()
      .executeTakeFirst();
    const { rows } = await sql<{ taken: number }>`
      select (select count(*) from jobs where tenant_id = ${tenantId} and agent_id = ${agentId}
          and status in (${sql.join(heldStatuses.map((status) => sql.lit(status)))}))
        + (select count(*) from claims where tenant_id = ${tenantId} and agent_id = ${agentId} and claim_id <> ${claimId}
          and attempt is null and made_at > now() - ${sql.lit(openForSeconds)} * interval '1 second') as taken`.execute(
      transaction,
    );
    if (agent === undefined || (rows[0]?.taken ?? 0) >= agent.slots) return false;
    await transaction
      .insertInto('claims')
      .values({ tenantId, agentId, claimId, jobId })
      .onConflict((conflict) =>
        conflict
          .columns(['agentId', 'claimId'])
          .doUpdateSet({ jobId, attempt: null, madeAt: sql<string>`now()` }),
      )
      .execute();
    return true;
  });
}

/** The workflow has granted it. Also forgets the claims of long ago. */
export async function grantClaim(
  db: Database,
  { tenantId, agentId, claimId }: ClaimKey,
  attempt: number,
): Promise<void> {
  await sql`
    with forgotten as (
      delete from claims where tenant_id = ${tenantId} and agent_id = ${agentId} and made_at < now() - ${sql.lit(keptForDays)} * interval '1 day'
    ), seen as (
      update agents set last_claim_at = now(), last_beat_at = now() where tenant_id = ${tenantId} and id = ${agentId}
    )
    update claims set attempt = ${attempt}
    where tenant_id = ${tenantId} and agent_id = ${agentId} and claim_id = ${claimId}`.execute(db.kysely);
}

export async function dropClaim(db: Database, { tenantId, agentId, claimId }: ClaimKey): Promise<void> {
  await db.kysely
    .deleteFrom('claims')
    .where('tenantId', '=', tenantId)
    .where('agentId', '=', agentId)
    .where('claimId', '=', claimId)
    .execute();
}
