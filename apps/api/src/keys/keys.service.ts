import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { lowerRole, mayDo, type Role, type UserRole } from '@perdure/job/permissions';
import type { Key, KeyPage, KeyQuery, KeyRequest, NewKey } from '@perdure/job/schemas';
import { createKey, getKey, getUser, type KeyRecord, listKeys, revokeKey } from '@perdure/store/admin';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { invalid } from '../http/refusal.ts';
import { PageTokens } from '../jobs/page-tokens.ts';
import { newSecret } from './secret.ts';

type Owner = { userId: string } | { agentId: string };

/** Users manage their own keys, admins those of the tenant. */
@Injectable()
export class KeysService {
  constructor(
    private readonly database: DatabaseService,
    private readonly pageTokens: PageTokens,
  ) {}

  async create(caller: Principal, request: KeyRequest): Promise<NewKey> {
    const { tenantId } = caller;
    const expiresAt = expiryOf(caller, request);
    const { role, ...owner } = await this.ownerOf(caller, request);
    const { key, ...secret } = newSecret();
    const { name } = request;
    const stored = await this.database.change(
      caller,
      (db) => createKey(db, { tenantId, name, role, expiresAt, ...owner, ...secret }),
      (made) => ({ kind: 'key', id: made.id }),
    );
    return { ...toKey(stored), key };
  }

  async list(caller: Principal, { pageSize: limit, pageToken, userId }: KeyQuery): Promise<KeyPage> {
    const { tenantId } = caller;
    const own = ownKeysOnly(caller);
    if (own !== undefined && userId !== undefined && userId !== own) throw notYours();
    const of = own ?? userId;
    const scope = JSON.stringify(['keys', tenantId, of]);
    return this.pageTokens.page(pageToken, scope, async (after) => {
      const { items, next } = await this.database.call(tenantId, (db) =>
        listKeys(db, tenantId, { userId: of, after, limit }),
      );
      return { items: items.map(toKey), next };
    });
  }

  /** Throws 'not-found', also for a key that the caller may not know of; 'forbidden' for one that may more than the caller. */
  async revoke(caller: Principal, id: string): Promise<void> {
    const { tenantId } = caller;
    const own = ownKeysOnly(caller);
    const key = await this.database.call(tenantId, (db) => getKey(db, tenantId, id));
    if (key === undefined || (own !== undefined && key.userId !== own))
      throw new PerdureError('not-found', 'There is no such key');
    if (own !== undefined && !isWithin(key.role, caller.role))
      throw new PerdureError(
        'forbidden',
        `A key with the role '${caller.role}' ends none with '${key.role}'`,
      );
    await this.database.change(
      caller,
      (db) => revokeKey(db, tenantId, id),
      () => ({ kind: 'key', id }),
    );
  }

  /** Whom the key is to speak for, and with which role. */
  private async ownerOf(caller: Principal, request: KeyRequest): Promise<Owner & { role: Role }> {
    const { agentId, role } = request;
    const userId = request.userId ?? caller.userId;
    if (agentId !== undefined) {
      if (!mayDo(caller, 'keys.manage')) throw notYours();
      if (role !== undefined && role !== 'agent')
        throw invalid('/role', "is 'agent' for a key that speaks for an agent");
      return { agentId, role: 'agent' };
    }
    if (role === 'agent') throw invalid('/agentId', 'is missing: a key of an agent speaks for one agent');
    if (userId === null) throw new Error('an agent may make no keys');
    return userId === caller.userId
      ? { userId, role: narrowed(role ?? 'member', caller.role) }
      : { userId, role: await this.roleFor(caller, userId, role) };
  }

  private async roleFor(caller: Principal, userId: string, asked: UserRole | undefined): Promise<UserRole> {
    if (!mayDo(caller, 'keys.manage')) throw notYours();
    const user = await this.database.call(caller.tenantId, (db) => getUser(db, caller.tenantId, userId));
    if (user === undefined || user.disabledAt !== null)
      throw invalid('/userId', 'is no user of this tenant who is not disabled');
    return narrowed(asked ?? user.role, user.role);
  }
}

/** The role that a key is to have may be less than that of whom it comes from, never more. */
function narrowed(asked: UserRole, most: Role): UserRole {
  if (isWithin(asked, most)) return asked;
  throw invalid('/role', `is more than '${most}', which is all that can be given`);
}

function isWithin(role: Role, most: Role): boolean {
  return role !== 'agent' && most !== 'agent' && lowerRole(role, most) === role;
}

/** A key that ends gives its user none that outlives it. */
function expiryOf({ keyId, userId, expiresAt: own }: Principal, request: KeyRequest): string | undefined {
  const { expiresAt } = request;
  if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now())
    throw invalid('/expiresAt', 'is over already');
  const forOneself = request.agentId === undefined && (request.userId ?? userId) === userId;
  if (keyId === null || own === null || !forOneself) return expiresAt;
  if (expiresAt !== undefined && Date.parse(expiresAt) > Date.parse(own))
    throw invalid('/expiresAt', `is later than ${own}, when the key that asks for it ends itself`);
  return expiresAt ?? own;
}

/** The user whose keys alone the caller may know of; undefined: all keys of the tenant. */
function ownKeysOnly(caller: Principal): string | undefined {
  return mayDo(caller, 'keys.manage') ? undefined : caller.id;
}

export function toKey(record: KeyRecord): Key {
  const { id, name, role, userId, agentId, prefix, lastFour } = record;
  const { createdAt, expiresAt, revokedAt, lastUsedAt } = record;
  return { id, name, role, userId, agentId, prefix, lastFour, createdAt, expiresAt, revokedAt, lastUsedAt };
}

function notYours(): PerdureError {
  return new PerdureError('forbidden', 'Only admins manage keys of others (keys.manage)');
}
