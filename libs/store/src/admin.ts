import { randomUUID } from 'node:crypto';
import { defaultTenantId } from '@perdure/job/ids';
import { type Selectable, sql } from 'kysely';
import type { Database } from './database.ts';
import { storableText } from './json-text.ts';
import type { KeyRecord } from './records.ts';
import type { Schema } from './schema.ts';
import { milliseconds } from './times.ts';

export { drainAgent, resumeAgent } from './agent-orders.ts';
export { type ArchiveOrder, archiveJob } from './archivings.ts';
export { announceFunctions as registerFunctions } from './functions.ts';
export { dropLogPartitions, makeLogPartitions } from './log-partitions.ts';
export { dropIdempotencyKeys, forgetPurged, purgeEnded, type RetentionDays } from './retention.ts';
export { addRequests, dropRequestCounts, type RequestCount } from './request-counts.ts';
export { bytesAreGone, forgetBytes, type GoingBytes, letBytesGo } from './stored-bytes.ts';
export { addToPool, createPool, deletePool, removeFromPool } from './pools.ts';
export type { KeyRecord } from './records.ts';

export type NewKey = Pick<KeyRecord, 'tenantId' | 'name' | 'role' | 'prefix' | 'lastFour'> & {
  /** SHA-256 of the key. The key itself is never stored. */
  hash: Buffer;
  agentId?: string | null;
  expiresAt?: string | null;
};

/** The key that opens a fresh installation. There is one at a time. */
const adminKeyId = '00000000-0000-7000-8000-000000000002';

export async function createKey(db: Database, key: NewKey): Promise<KeyRecord> {
  const row = await db.kysely
    .insertInto('keys')
    .values({ ...key, id: randomUUID(), name: storableText(key.name) })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toKeyRecord(row);
}

/** All keys of the tenant, expired and revoked ones too, newest first. */
export async function listKeys(db: Database, tenantId: string): Promise<KeyRecord[]> {
  const rows = await db.kysely
    .selectFrom('keys')
    .selectAll()
    .where('tenantId', '=', tenantId)
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return rows.map(toKeyRecord);
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

/** The key with this SHA-256, if it is neither expired nor revoked. The one query without a tenant: it is what finds it. */
export async function findKeyByHash(db: Database, hash: Buffer): Promise<KeyRecord | undefined> {
  const row = await db.kysely
    .selectFrom('keys')
    .selectAll()
    .where('hash', '=', hash)
    .where('revokedAt', 'is', null)
    .where((where) => where.or([where('expiresAt', 'is', null), where('expiresAt', '>', sql<string>`now()`)]))
    .executeTakeFirst();
  return row && toKeyRecord(row);
}

/**
 * Sees to it that the admin key of the first start is this one. Another hash takes the place of the one before, which is
 * void from then on; the same hash changes nothing, so that a revoked key stays revoked.
 */
export async function ensureAdminKey(
  db: Database,
  hash: Buffer,
  prefix: string,
  lastFour: string,
): Promise<void> {
  const secret = { hash, prefix, lastFour };
  await db.kysely
    .insertInto('keys')
    .values({ id: adminKeyId, tenantId: defaultTenantId, name: 'admin', role: 'admin', ...secret })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ ...secret, createdAt: sql<string>`now()`, revokedAt: null, lastUsedAt: null })
        .where('keys.hash', '<>', hash),
    )
    .execute();
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
