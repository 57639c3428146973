import type { AccessLevel } from '@perdure/job/permissions';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { storableText } from './json-text.ts';
import { channel } from './notify.ts';
import type { GrantRecord } from './records.ts';

/** What grants are about. */
export type Subject = { kind: 'job' | 'file'; id: string };

const tables = {
  job: { things: sql.raw('jobs'), column: sql.raw('job_id') },
  file: { things: sql.raw('files'), column: sql.raw('file_id') },
};

export type GrantOrder = { userId: string; access: AccessLevel; by: string; reason: string | null };

/**
 * Gives a user of the tenant access, or another access than before; where it is the same, nothing changes. Its owner has all and is
 * given nothing. False where nothing changed, or there is no such thing.
 */
export async function putGrant(
  db: Database,
  tenantId: string,
  { kind, id }: Subject,
  { userId, access, by, reason }: GrantOrder,
): Promise<boolean> {
  const { things, column } = tables[kind];
  const said = reason === null ? null : storableText(reason);
  const { rows } = await sql`
    insert into grants (tenant_id, ${column}, user_id, access, granted_by, reason)
    select ${tenantId}::uuid, id, ${userId}::uuid, ${access}, ${by}, ${said}::text
    from ${things} where tenant_id = ${tenantId} and id = ${id} and owner <> ${userId}
    on conflict (${column}, user_id) do update
      set access = excluded.access, granted_by = excluded.granted_by, granted_at = now(), reason = excluded.reason
      where grants.access <> excluded.access
    returning user_id`.execute(db.kysely);
  return rows.length > 0;
}

/** Takes access away, and wakes those who follow the job: whoever sees it no longer ends there. False where there was none. */
export async function removeGrant(
  db: Database,
  tenantId: string,
  { kind, id }: Subject,
  userId: string,
): Promise<boolean> {
  const { rows } = await sql`
    with taken as (
      delete from grants where tenant_id = ${tenantId} and ${tables[kind].column} = ${id} and user_id = ${userId}::uuid
      returning job_id
    )
    select case when job_id is not null then pg_notify(${channel}, job_id || ' access') end from taken`.execute(
    db.kysely,
  );
  return rows.length > 0;
}

/** Those who have access, the first who got it first. */
export async function listGrants(
  db: Database,
  tenantId: string,
  { kind, id }: Subject,
): Promise<GrantRecord[]> {
  const { rows } = await sql<GrantRecord>`
    select user_id, email, display_name, access, granted_by, granted_at, reason
    from grants join users on users.tenant_id = grants.tenant_id and users.id = grants.user_id
    where grants.tenant_id = ${tenantId} and ${tables[kind].column} = ${id}
    order by granted_at, user_id`.execute(db.kysely);
  return rows;
}

export type Given = { jobId: string | null; fileId: string | null; access: AccessLevel };

/** What the user was given of these jobs and files. */
export async function grantsAmong(
  db: Database,
  tenantId: string,
  userId: string,
  { jobIds, fileIds }: { jobIds: readonly string[]; fileIds: readonly string[] },
): Promise<Given[]> {
  const own = sql`select job_id, file_id, access from grants where tenant_id = ${tenantId} and user_id = ${userId}::uuid`;
  const asked = [
    ...(jobIds.length > 0 ? [sql`${own} and job_id = any(${jobIds}::text[])`] : []),
    ...(fileIds.length > 0 ? [sql`${own} and file_id = any(${fileIds}::text[])`] : []),
  ];
  if (asked.length === 0) return [];
  const { rows } = await sql<Given>`${sql.join(asked, sql` union all `)}`.execute(db.kysely);
  return rows;
}
