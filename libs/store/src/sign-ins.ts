import { randomUUID } from 'node:crypto';
import type { UserRole } from '@perdure/job/permissions';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { storableText } from './json-text.ts';
import type { UserRecord } from './records.ts';
import { toUserRecord } from './users.ts';

/** What a token says of its user. */
export type SignIn = {
  /** The name of the tenant. */
  tenant: string;
  issuer: string;
  subject: string;
  /** Only one that the identity provider has verified; in small letters. */
  email: string | null;
  displayName: string | null;
  /** null: the identity provider does not decide it. */
  role: UserRole | null;
  issuedAt: string;
};

/**
 * The user that a token speaks for. The first time it is made, or a person of the tenant with that e-mail address, of whom no identity
 * provider knows yet, becomes it; later what the newest token says of it is taken over. Undefined where there is no such tenant.
 */
export async function signIn(db: Database, asked: SignIn): Promise<UserRecord | undefined> {
  const said = { ...asked, displayName: asked.displayName && storableText(asked.displayName) };
  const tenant = await db.kysely
    .selectFrom('tenants')
    .select('tenantId')
    .where('name', '=', said.tenant)
    .executeTakeFirst();
  if (tenant === undefined) return undefined;
  const { tenantId } = tenant;
  const known = await find(db, tenantId, said);
  if (known !== undefined) return isNews(known, said) ? takeOver(db, known, said) : known;
  return (await adopt(db, tenantId, said)) ?? (await enrol(db, tenantId, said));
}

async function find(db: Database, tenantId: string, { issuer, subject }: SignIn) {
  const row = await db.kysely
    .selectFrom('users')
    .selectAll()
    .where('tenantId', '=', tenantId)
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return row && toUserRecord(row);
}

/** A token that was issued before the one that was heard last has nothing new to say. */
function isNews(user: UserRecord, { email, displayName, role, issuedAt }: SignIn): boolean {
  if (user.claimsAt !== null && Date.parse(issuedAt) <= Date.parse(user.claimsAt)) return false;
  const differs = <T>(now: T, said: T | null): boolean => said !== null && said !== now;
  return differs(user.email, email) || differs(user.displayName, displayName) || differs(user.role, role);
}

/** An e-mail address that another user of the tenant has stays with that one. */
async function takeOver(db: Database, user: UserRecord, said: SignIn): Promise<UserRecord> {
  const { tenantId, id } = user;
  const email = sql<string | null>`case
    when exists (select from users other where other.tenant_id = ${tenantId} and other.email = ${said.email} and other.id <> ${id})
    then email else coalesce(${said.email}, email) end`;
  const row = await db.kysely
    .updateTable('users')
    .set(({ eb }) => ({
      email,
      displayName: said.displayName ?? user.displayName,
      role: said.role ?? user.role,
      claimsAt: said.issuedAt,
      revision: eb('revision', '+', 1),
    }))
    .where('tenantId', '=', tenantId)
    .where('id', '=', id)
    .where('revision', '=', user.revision)
    .returningAll()
    .executeTakeFirst();
  // Somebody else has changed it in this moment: the next request says it again.
  return row === undefined ? user : toUserRecord(row);
}

async function adopt(db: Database, tenantId: string, said: SignIn): Promise<UserRecord | undefined> {
  const { issuer, subject, email, role, issuedAt: claimsAt } = said;
  if (email === null) return undefined;
  const row = await db.kysely
    .updateTable('users')
    .set(({ eb }) => ({
      issuer,
      subject,
      claimsAt,
      revision: eb('revision', '+', 1),
      ...(role !== null && { role }),
    }))
    .where('tenantId', '=', tenantId)
    .where('email', '=', email)
    .where('kind', '=', 'person')
    .where('issuer', 'is', null)
    .returningAll()
    .executeTakeFirst();
  return row && toUserRecord(row);
}

/** Of two first requests at the same moment one makes the user, and both get it. */
async function enrol(db: Database, tenantId: string, said: SignIn): Promise<UserRecord | undefined> {
  const { issuer, subject, role, issuedAt: claimsAt } = said;
  const displayName = said.displayName ?? said.email ?? subject;
  const user = {
    tenantId,
    kind: 'person',
    displayName,
    role: role ?? 'member',
    issuer,
    subject,
    claimsAt,
  } as const;
  for (const email of [said.email, null]) {
    const row = await db.kysely
      .insertInto('users')
      .values({ ...user, id: randomUUID(), email })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    const made = row ? toUserRecord(row) : await find(db, tenantId, said);
    if (made !== undefined) return made;
  }
  throw new Error('a user that is neither there nor can be made');
}
