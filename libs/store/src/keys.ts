import { randomUUID } from 'node:crypto';
import { defaultTenantId, firstAdminId } from '@perdure/job/ids';
import type { UserRole } from '@perdure/job/permissions';
import { type Selectable, sql } from 'kysely';
import type { Database } from './database.ts';
import { storableText } from './json-text.ts';
import type { Position } from './list-jobs.ts';
import type { KeyRecord } from './records.ts';
import type { Schema } from './schema.ts';
import { olderThan, slice, type SliceOf } from './slices.ts';
import { milliseconds } from './times.ts';

/** What is stored of the secret of a key: its SHA-256, never itself. */
export type KeySecret = { hash: Buffer; prefix: string; lastFour: string };

export type NewKey = Pick<KeyRecord, 'tenantId' | 'name' | 'role'> &
  KeySecret &
  ({ userId: string } | { agentId: string }) & { expiresAt?: string | null };

/** A key that works, with the role of the user that it speaks for; null: it speaks for an agent. */
export type KeyHolder = { key: KeyRecord; userRole: UserRole | null };

/** The key that opens a fresh installation. There is one at a time. */
const adminKeyId = '00000000-0000-7000-8000-000000000002';

export async function createKey(db: Pick<Database, 'kysely'>, key: NewKey): Promise<KeyRecord> {
  const row = await db.kysely
    .insertInto('keys')
    .values({ ...key, id: randomUUID(), name: storableText(key.name) })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toKeyRecord(row);
}

/** Keys of the tenant, or of one user of it; expired and revoked ones too, newest first. */
export async function listKeys(
  db: Database,
  tenantId: string,
  { userId, after, limit }: SliceOf & { userId?: string | undefined },
): Promise<{ items: KeyRecord[]; next: Position | null }> {
  const rows = await db.kysely
    .selectFrom('keys')
    .selectAll()
    .where((where) => where.and({ tenantId, ...(userId !== undefined && { userId }) }))
    .where(olderThan(after))
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  return slice(rows.map(toKeyRecord), limit, ({ id }) => id);
}

export async function getKey(db: Database, tenantId: string, id: string): Promise<KeyRecord | undefined> {
  const row = await db.kysely
    .selectFrom('keys')
    .selectAll()
    .where('tenantId', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && toKeyRecord(row);
}

/** Ends a key at once. A second time changes nothing; undefined where the tenant has no such key. */
export async function revokeKey(db: Database, tenantId: string, id: string): Promise<KeyRecord | undefined> {
  const row = await db.kysely
    .updateTable('keys')
    .set({ revokedAt: sql<string>`coalesce(revoked_at, now())` })
    .where('tenantId', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
  return row && toKeyRecord(row);
}

/**
 * The key with this SHA-256, if it is neither expired nor revoked and its user is not disabled. The one query without a tenant: it is
 * what finds it.
 */
export async function findKeyByHash(db: Database, hash: Buffer): Promise<KeyHolder | undefined> {
  return toHolder(await workingKeys(db).where('hash', '=', hash).executeTakeFirst());
}

/** The same for a key whose id is known, in its tenant. */
export async function findKeyById(
  db: Database,
  tenantId: string,
  id: string,
): Promise<KeyHolder | undefined> {
  const keys = workingKeys(db).where('keys.tenantId', '=', tenantId).where('keys.id', '=', id);
  return toHolder(await keys.executeTakeFirst());
}

function workingKeys(db: Database) {
  return db.kysely
    .selectFrom('keys')
    .leftJoin('users', (join) =>
      join.onRef('users.tenantId', '=', 'keys.tenantId').onRef('users.id', '=', 'keys.userId'),
    )
    .selectAll('keys')
    .select('users.role as userRole')
    .where('revokedAt', 'is', null)
    .where('disabledAt', 'is', null)
    .where((where) =>
      where.or([where('expiresAt', 'is', null), where('expiresAt', '>', sql<string>`now()`)]),
    );
}

function toHolder(
  row: (Selectable<Schema['keys']> & { userRole: UserRole | null }) | undefined,
): KeyHolder | undefined {
  if (row === undefined) return undefined;
  const { userRole, ...key } = row;
  return { key: toKeyRecord(key), userRole };
}

/**
 * Sees to it that the admin key of the first start is this one. Another hash takes the place of the one before, which is void from then
 * on, and makes its user an admin again, should it be disabled or demoted: whoever sets it runs the installation. The same hash changes
 * nothing, so that a revoked key stays revoked.
 */
export async function ensureAdminKey(db: Database, secret: KeySecret): Promise<void> {
  await db.kysely.transaction().execute(async (transaction) => {
    const { numInsertedOrUpdatedRows } = await transaction
      .insertInto('keys')
      .values({
        id: adminKeyId,
        tenantId: defaultTenantId,
        userId: firstAdminId,
        name: 'admin',
        role: 'admin',
        ...secret,
      })
      .onConflict((conflict) =>
        conflict
          .column('id')
          .doUpdateSet({ ...secret, createdAt: sql<string>`now()`, revokedAt: null, lastUsedAt: null })
          .where('keys.hash', '<>', secret.hash),
      )
      .executeTakeFirstOrThrow();
    if (!numInsertedOrUpdatedRows) return;
    await transaction
      .updateTable('users')
      .set(({ eb }) => ({ role: 'admin', disabledAt: null, revision: eb('revision', '+', 1) }))
      .where('id', '=', firstAdminId)
      .where((where) => where.or([where('role', '<>', 'admin'), where('disabledAt', 'is not', null)]))
      .execute();
  });
}

/** Notes that the key was used, at most once a minute. */
export async function touchKey(db: Database, id: string): Promise<void> {
  await db.kysely
    .updateTable('keys')
    .set({ lastUsedAt: sql<string>`now()` })
    .where('id', '=', id)
    .where(sql<boolean>`coalesce(last_used_at < now() - interval '1 minute', true)`)
    .execute();
}

function toKeyRecord({ hash: _secret, ...row }: Selectable<Schema['keys']>): KeyRecord {
  return {
    ...row,
    expiresAt: milliseconds(row.expiresAt),
    revokedAt: milliseconds(row.revokedAt),
    lastUsedAt: milliseconds(row.lastUsedAt),
  };
}
