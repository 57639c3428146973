import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { findKeyByHash, touchKey } from '@perdure/store/admin';
import { createHash, timingSafeEqual } from 'node:crypto';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';

/** A revoked key works at most this much longer. */
const freshnessMs = 1_000;
const maxKnown = 10_000;
const touchEveryMs = 60_000;

type Known = { hash: Buffer; principal: Principal; until: number; touchedAt: number };

/** Finds who a bearer token belongs to. Only the SHA-256 of a key is ever compared, stored or kept. */
@Injectable()
export class KeyRing {
  private readonly known = new Map<string, Known>();

  constructor(private readonly database: DatabaseService) {}

  async principalOf(authorization: string | undefined): Promise<Principal> {
    const token = /^Bearer +([\w-]{20,200})$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      throw new PerdureError('unauthenticated', 'Send the header Authorization: Bearer <API key>');
    }
    const hash = createHash('sha256').update(token).digest();
    const id = hash.toString('base64');
    const known = this.known.get(id);
    const now = Date.now();
    if (known && known.until > now && timingSafeEqual(known.hash, hash)) return alive(known.principal, now);
    this.known.delete(id);
    const principal = await this.lookUp(hash);
    if (this.known.size >= maxKnown) this.known.clear();
    const touchedAt = known?.touchedAt ?? 0;
    const touch = now - touchedAt > touchEveryMs;
    this.known.set(id, { hash, principal, until: now + freshnessMs, touchedAt: touch ? now : touchedAt });
    // When a key was last used is worth no failed request.
    if (touch) this.database.call((db) => touchKey(db, principal.keyId)).catch(() => {});
    return principal;
  }

  private async lookUp(hash: Buffer): Promise<Principal> {
    const key = await this.database.call((db) => findKeyByHash(db, hash));
    if (key === undefined)
      throw new PerdureError('unauthenticated', 'The API key is unknown, expired or revoked');
    const { id, tenantId, name, role, agentId, expiresAt } = key;
    return { keyId: id, tenantId, name, role, agentId, expiresAt };
  }
}

function alive(principal: Principal, now: number): Principal {
  if (principal.expiresAt !== null && Date.parse(principal.expiresAt) <= now) {
    throw new PerdureError('unauthenticated', 'The API key is unknown, expired or revoked');
  }
  return principal;
}
