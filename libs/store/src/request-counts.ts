import { sql } from 'kysely';
import type { Database } from './database.ts';

/** How often somebody of a tenant has asked; `subject` says who. */
export type RequestCount = { tenantId: string; subject: string; requests: number };

/**
 * Adds what one replica has counted in the window that began at `windowStart` (milliseconds since 1970), and answers what all of them have counted in it, of
 * the same subjects.
 */
export async function addRequests(
  db: Database,
  windowStart: number,
  counted: readonly RequestCount[],
): Promise<RequestCount[]> {
  // Every writer takes the rows in the same order, so that no two wait for each other.
  const { rows } = await sql<RequestCount>`
    insert into request_counts as kept (tenant_id, subject, window_start, requests)
    select tenant_id, subject, ${windowStart}, requests
    from unnest(${counted.map((one) => one.tenantId)}::uuid[], ${counted.map((one) => one.subject)}::text[],
      ${counted.map((one) => one.requests)}::bigint[]) as own (tenant_id, subject, requests)
    order by tenant_id, subject
    on conflict (tenant_id, subject, window_start) do update set requests = kept.requests + excluded.requests
    returning tenant_id, subject, requests`.execute(db.kysely);
  return rows;
}

/** Forgets the windows that began before this moment. */
export async function dropRequestCounts(db: Database, before: number): Promise<void> {
  await db.kysely.deleteFrom('requestCounts').where('windowStart', '<', before).execute();
}
