import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { Key, KeyRequest, NewKey } from '@perdure/job/schemas';
import { createKey, type KeyRecord, listKeys, revokeKey } from '@perdure/store/admin';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { newSecret } from './secret.ts';

@Injectable()
export class KeysService {
  constructor(private readonly database: DatabaseService) {}

  async create(caller: Principal, request: KeyRequest): Promise<NewKey> {
    const { name, agentId, expiresAt } = request;
    const role = request.role ?? (agentId === undefined ? 'member' : 'agent');
    if (agentId !== undefined && role !== 'agent')
      throw wrong('/role', "is 'agent' for a key that speaks for an agent");
    if (agentId === undefined && role === 'agent')
      throw wrong('/agentId', 'is missing: a key of an agent speaks for one agent');
    if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now())
      throw wrong('/expiresAt', 'is over already');
    const { key, hash, prefix, lastFour } = newSecret();
    const stored = await this.database.call((db) =>
      createKey(db, { tenantId: caller.tenantId, name, role, agentId, expiresAt, hash, prefix, lastFour }),
    );
    return { ...toKey(stored), key };
  }

  async list(caller: Principal): Promise<Key[]> {
    const keys = await this.database.call((db) => listKeys(db, caller.tenantId));
    return keys.map(toKey);
  }

  async revoke(caller: Principal, id: string): Promise<void> {
    const key = await this.database.call((db) => revokeKey(db, caller.tenantId, id));
    if (key === undefined) throw new PerdureError('not-found', 'There is no such key');
  }
}

function toKey(record: KeyRecord): Key {
  const { id, name, role, agentId, prefix, lastFour, createdAt, expiresAt, revokedAt, lastUsedAt } = record;
  return { id, name, role, agentId, prefix, lastFour, createdAt, expiresAt, revokedAt, lastUsedAt };
}

function wrong(pointer: string, detail: string): PerdureError {
  return new PerdureError('invalid-request', `${pointer} ${detail}`, { details: [{ pointer, detail }] });
}
