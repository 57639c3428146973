import { Injectable } from '@nestjs/common';
import { lowerRole } from '@perdure/job/permissions';
import { findKeyByHash, findKeyById, type KeyHolder, touchKey } from '@perdure/store/admin';
import type { Database } from '@perdure/store/database';
import { LRUCache } from 'lru-cache';
import { createHash, timingSafeEqual } from 'node:crypto';
import { DatabaseService } from '../database/database.service.ts';
import type { Identity } from '../http/caller.ts';
import { Kept } from '../kept.ts';
import { freshnessMs, maxKnown } from './freshness.ts';
import { notLetIn } from './refusals.ts';

const touchEveryMs = 60_000;

/** Finds who a key belongs to. Only its SHA-256 is ever compared, stored or kept. */
@Injectable()
export class KeyRing {
  private readonly known = new Kept<{ hash: Buffer; principal: Identity }>(freshnessMs, maxKnown);
  private readonly signers = new Kept<Identity | undefined>(freshnessMs, maxKnown);
  private readonly touched = new LRUCache<string, true>({ max: maxKnown, ttl: touchEveryMs });

  constructor(private readonly database: DatabaseService) {}

  /** Throws 'unauthenticated' for a key that does not work. */
  async principalOf(key: string): Promise<Identity> {
    if (key.length < 20 || key.length > 200) throw unknown();
    const hash = createHash('sha256').update(key).digest();
    const known = await this.known.get(hash.toString('base64'), async () => {
      const principal = await this.lookUp((db) => findKeyByHash(db, hash));
      if (principal === undefined) throw unknown();
      return { hash, principal };
    });
    if (isOver(known.principal) || !timingSafeEqual(known.hash, hash)) throw unknown();
    return known.principal;
  }

  /** Who a key speaks for that signed something; undefined once it no longer works. */
  async principalOfId(tenantId: string, id: string): Promise<Identity | undefined> {
    const find = (db: Database) => findKeyById(db, tenantId, id);
    const principal = await this.signers.get(`${tenantId} ${id}`, () => this.lookUp(find));
    return principal === undefined || isOver(principal) ? undefined : principal;
  }

  private async lookUp(
    find: (db: Database) => Promise<KeyHolder | undefined>,
  ): Promise<Identity | undefined> {
    const holder = await this.database.across(find);
    const principal = holder && principalOf(holder);
    if (holder && principal) this.touch(holder.key.id);
    return principal;
  }

  /** When a key was last used is worth no failed request. */
  private touch(id: string): void {
    if (this.touched.has(id)) return;
    this.touched.set(id, true);
    this.database.across((db) => touchKey(db, id)).catch(() => this.touched.delete(id));
  }
}

function isOver({ expiresAt }: Identity): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= Date.now();
}

function principalOf({ key, userRole }: KeyHolder): Identity | undefined {
  const { id: keyId, tenantId, userId, agentId, name, role, expiresAt } = key;
  const common = { tenantId, keyId, name, expiresAt };
  if (agentId !== null) return { ...common, id: agentId, userId: null, agentId, role: 'agent' };
  if (userId === null || userRole === null || role === 'agent') return undefined;
  return { ...common, id: userId, userId, agentId: null, role: lowerRole(role, userRole) };
}

const unknown = () => notLetIn('The API key is unknown, expired or revoked');
