import { Injectable } from '@nestjs/common';
import type { AuditEntry, AuditPage, AuditQuery } from '@perdure/job/schemas';
import { type AuditFilter, type AuditRecord, listAudit } from '@perdure/store/admin';
import type { Position } from '@perdure/store/read';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { utc } from '../http/moments.ts';
import { PageTokens } from '../jobs/page-tokens.ts';

/** Entries read at once for an export. */
const atOnce = 500;

@Injectable()
export class AuditService {
  constructor(
    private readonly database: DatabaseService,
    private readonly pageTokens: PageTokens,
  ) {}

  async page(
    { tenantId }: Principal,
    { pageSize: limit, pageToken, ...query }: AuditQuery,
  ): Promise<AuditPage> {
    const filter = filterOf(query);
    const scope = JSON.stringify(['audit', tenantId, filter]);
    return this.pageTokens.page(pageToken, scope, async (after) => {
      const page = { ...filter, after, limit };
      const { items, next } = await this.database.call(tenantId, (db) => listAudit(db, tenantId, page));
      return { items: items.map(toEntry), next };
    });
  }

  /** All of them. Nothing is read ahead of a slow client. */
  async *stream({ tenantId }: Principal, query: Omit<AuditQuery, 'pageSize'>): AsyncGenerator<AuditEntry[]> {
    const filter = { ...filterOf(query), limit: atOnce };
    let after: Position | undefined;
    do {
      const part = { ...filter, after };
      const { items, next } = await this.database.call(tenantId, (db) => listAudit(db, tenantId, part));
      if (items.length > 0) yield items.map(toEntry);
      after = next ?? undefined;
    } while (after !== undefined);
  }
}

/** The same list always in the same form, as the signature of its tokens wants it. */
function filterOf(query: Omit<AuditQuery, 'pageSize' | 'pageToken'>): AuditFilter {
  const { actor, action, target, targetKind, outcome, since, until } = query;
  return { actor, action, target, targetKind, outcome, since: utc(since), until: utc(until) };
}

function toEntry(record: AuditRecord): AuditEntry {
  const { id, at, actorKind, actor, keyId, action, targetKind, target } = record;
  const { outcome, code, reason, requestId, address } = record;
  return {
    id,
    at,
    actor: { kind: actorKind, id: actor, keyId },
    action,
    target: targetKind && { kind: targetKind, id: target },
    outcome,
    code,
    reason,
    requestId,
    address,
  };
}
