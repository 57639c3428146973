import { randomUUID } from 'node:crypto';
import type { Database } from './database.ts';
import { createKey, type KeySecret } from './keys.ts';
import type { Position } from './list-jobs.ts';
import type { KeyRecord, TenantRecord, UserRecord } from './records.ts';
import { olderThan, slice, type SliceOf } from './slices.ts';
import { inTransaction } from './transactions.ts';
import { createUser } from './users.ts';

export type NewTenant = {
  name: string;
  admin: { email: string; displayName: string };
  /** Of the first key of that admin. */
  secret: KeySecret;
};

/** A tenant with its first admin and that admin's key, all or nothing. Undefined where the name is taken. */
export function createTenant(
  db: Database,
  { name, admin, secret }: NewTenant,
): Promise<{ tenant: TenantRecord; admin: UserRecord; key: KeyRecord } | undefined> {
  return inTransaction(db, async (kysely) => {
    const tenant = await kysely
      .insertInto('tenants')
      .values({ tenantId: randomUUID(), name })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (tenant === undefined) return undefined;
    const { tenantId } = tenant;
    const user = await createUser({ kysely }, { tenantId, kind: 'person', role: 'admin', ...admin });
    if (user === undefined) throw new Error('a tenant that is new has no users');
    const key = await createKey(
      { kysely },
      { tenantId, userId: user.id, name: 'first key', role: 'admin', ...secret },
    );
    return { tenant, admin: user, key };
  });
}

export function getTenant(db: Database, tenantId: string): Promise<TenantRecord | undefined> {
  return db.kysely.selectFrom('tenants').selectAll().where('tenantId', '=', tenantId).executeTakeFirst();
}

/** All tenants of the installation, newest first. */
export async function listTenants(
  db: Database,
  { after, limit }: SliceOf,
): Promise<{ items: TenantRecord[]; next: Position | null }> {
  const rows = await db.kysely
    .selectFrom('tenants')
    .selectAll()
    .where(olderThan(after, 'tenant_id'))
    .orderBy('createdAt', 'desc')
    .orderBy('tenantId', 'desc')
    .limit(limit + 1)
    .execute();
  return slice(rows, limit, ({ tenantId }) => tenantId);
}
