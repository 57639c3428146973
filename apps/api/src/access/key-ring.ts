import { Injectable } from '@nestjs/common';
import { lowerRole } from '@perdure/job/permissions';
import { findKeyByHash, type KeyHolder, touchKey } from '@perdure/store/admin';
import { LRUCache } from 'lru-cache';
import { createHash, timingSafeEqual } from 'node:crypto';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { Kept } from '../kept.ts';
import { freshnessMs, maxKnown } from './freshness.ts';
import { notLetIn } from './refusals.ts';

const touchEveryMs = 60_000;

/** Finds who a key belongs to. Only its SHA-256 is ever compared, stored or kept. */
@Injectable()
export class KeyRing {
  private readonly known = new Kept<{ hash: Buffer; principal: Principal }>(freshnessMs, maxKnown);
  private readonly touched = new LRUCache<string, true>({ max: maxKnown, ttl: touchEveryMs });

  constructor(private readonly database: DatabaseService) {}

  /** Throws 'unauthenticated' for a key that does not work. */
  async principalOf(key: string): Promise<Principal> {
    if (key.length < 20 || key.length > 200) throw unknown();
    const hash = createHash('sha256').update(key).digest();
    const known = await this.known.get(hash.toString('base64'), () => this.lookUp(hash));
    const { expiresAt } = known.principal;
    const expired = expiresAt !== null && Date.parse(expiresAt) <= Date.now();
    if (expired || !timingSafeEqual(known.hash, hash)) throw unknown();
    return known.principal;
  }

  private async lookUp(hash: Buffer): Promise<{ hash: Buffer; principal: Principal }> {
    const holder = await this.database.call((db) => findKeyByHash(db, hash));
    const principal = holder && principalOf(holder);
    if (holder === undefined || principal === undefined) throw unknown();
    this.touch(holder.key.id);
    return { hash, principal };
  }

  /** When a key was last used is worth no failed request. */
  private touch(id: string): void {
    if (this.touched.has(id)) return;
    this.touched.set(id, true);
    this.database.call((db) => touchKey(db, id)).catch(() => this.touched.delete(id));
  }
}

function principalOf({ key, userRole }: KeyHolder): Principal | undefined {
  const { id: keyId, tenantId, userId, agentId, name, role, expiresAt } = key;
  const common = { tenantId, keyId, name, expiresAt };
  if (agentId !== null) return { ...common, id: agentId, userId: null, agentId, role: 'agent' };
  if (userId === null || userRole === null || role === 'agent') return undefined;
  return { ...common, id: userId, userId, agentId: null, role: lowerRole(role, userRole) };
}

const unknown = () => notLetIn('The API key is unknown, expired or revoked');
