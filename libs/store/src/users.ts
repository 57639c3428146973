import { randomUUID } from 'node:crypto';
import { PerdureError } from '@perdure/job/errors';
import type { UserRole } from '@perdure/job/permissions';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Database } from './database.ts';
import { storableText } from './json-text.ts';
import type { Position } from './list-jobs.ts';
import type { UserRecord } from './records.ts';
import type { Schema } from './schema.ts';
import { olderThan, slice, type SliceOf } from './slices.ts';
import { milliseconds } from './times.ts';
import { inTransaction } from './transactions.ts';

export type NewUser = Pick<UserRecord, 'tenantId' | 'kind' | 'email' | 'displayName' | 'role'>;

export type UserChange = { displayName?: string; role?: UserRole; disabled?: boolean };

/** Undefined where a user of the tenant has the e-mail address already. */
export async function createUser(
  db: Pick<Database, 'kysely'>,
  user: NewUser,
): Promise<UserRecord | undefined> {
  const row = await db.kysely
    .insertInto('users')
    .values({ ...user, id: randomUUID(), displayName: storableText(user.displayName) })
    .onConflict((conflict) => conflict.columns(['tenantId', 'email']).doNothing())
    .returningAll()
    .executeTakeFirst();
  return row && toUserRecord(row);
}

export async function getUser(
  db: Pick<Database, 'kysely'>,
  tenantId: string,
  id: string,
): Promise<UserRecord | undefined> {
  const row = await db.kysely
    .selectFrom('users')
    .selectAll()
    .where('tenantId', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && toUserRecord(row);
}

/** By an e-mail address, in small letters. */
export async function findUser(
  db: Pick<Database, 'kysely'>,
  tenantId: string,
  email: string,
): Promise<UserRecord | undefined> {
  const row = await db.kysely
    .selectFrom('users')
    .selectAll()
    .where('tenantId', '=', tenantId)
    .where('email', '=', email)
    .executeTakeFirst();
  return row && toUserRecord(row);
}

/** Newest first. */
export async function listUsers(
  db: Database,
  tenantId: string,
  { after, limit }: SliceOf,
): Promise<{ items: UserRecord[]; next: Position | null }> {
  const rows = await db.kysely
    .selectFrom('users')
    .selectAll()
    .where('tenantId', '=', tenantId)
    .where(olderThan(after))
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  return slice(rows.map(toUserRecord), limit, ({ id }) => id);
}

/**
 * Changes a user as it was seen; undefined, and nothing is changed, where it is another by now.
 *
 * @throws PerdureError `last-admin` when nobody would be left to manage the tenant
 */
export function changeUser(
  db: Database,
  seen: UserRecord,
  { displayName, role, disabled }: UserChange,
): Promise<UserRecord | undefined> {
  return inTransaction(db, async (transaction) => {
    const isAdmin = seen.role === 'admin' && seen.disabledAt === null;
    if (isAdmin && ((role ?? 'admin') !== 'admin' || disabled === true)) await keepAnAdmin(transaction, seen);
    const row = await transaction
      .updateTable('users')
      .set(({ eb }) => ({
        revision: eb('revision', '+', 1),
        ...(displayName !== undefined && { displayName: storableText(displayName) }),
        ...(role !== undefined && { role }),
        ...(disabled !== undefined && {
          disabledAt: disabled ? sql<string>`coalesce(disabled_at, now())` : null,
        }),
      }))
      .where('tenantId', '=', seen.tenantId)
      .where('id', '=', seen.id)
      .where('revision', '=', seen.revision)
      .returningAll()
      .executeTakeFirst();
    return row && toUserRecord(row);
  });
}

/** Two admins who would end each other at the same moment are told apart by the lock. */
async function keepAnAdmin(db: Kysely<Schema>, { tenantId, id }: UserRecord): Promise<void> {
  await db.selectFrom('tenants').select('name').where('tenantId', '=', tenantId).forNoKeyUpdate().execute();
  const other = await db
    .selectFrom('users')
    .select('id')
    .where('tenantId', '=', tenantId)
    .where('id', '<>', id)
    .where('role', '=', 'admin')
    .where('disabledAt', 'is', null)
    .limit(1)
    .executeTakeFirst();
  if (other === undefined) throw new PerdureError('last-admin', 'There is no other admin of this tenant');
}

export function toUserRecord(row: Selectable<Schema['users']>): UserRecord {
  return { ...row, claimsAt: milliseconds(row.claimsAt), disabledAt: milliseconds(row.disabledAt) };
}
