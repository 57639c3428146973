import type { AuditOutcome } from '@perdure/job/audit';
import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';
import { jsonText } from './json-text.ts';
import type { Position } from './list-jobs.ts';
import type { AuditRecord } from './records.ts';
import type { SliceOf } from './slices.ts';

export type NewAuditEntry = Omit<AuditRecord, 'id' | 'at'> & { tenantId: string };

/** `target` is an id, `since` is inclusive and `until` is not. */
export type AuditFilter = Partial<
  Pick<AuditRecord, 'actor' | 'action' | 'target' | 'targetKind'> & {
    outcome: AuditOutcome | undefined;
    since: string | undefined;
    until: string | undefined;
  }
>;

/** So many entries are looked at for a page where no index has all that is asked for. */
export const auditBudget = 2_000;

/** Adds entries, in their order. Inside a transaction they stand with the change that they tell of, or fall with it. */
export async function enterAudit(
  db: Pick<Database, 'kysely'>,
  entries: readonly NewAuditEntry[],
): Promise<void> {
  await sql`
    insert into audit_entries (tenant_id, actor_kind, actor, key_id, action, target_kind, target, outcome, code, reason, request_id, address)
    select tenant_id, actor_kind, actor, key_id, action, target_kind, target, outcome, code, reason, request_id, address
    from jsonb_populate_recordset(null::audit_entries, ${jsonText(entries.map(toRow))}::jsonb)`.execute(
    db.kysely,
  );
}

function toRow({ tenantId, actorKind, keyId, targetKind, requestId, ...rest }: NewAuditEntry) {
  const snake = { actor_kind: actorKind, key_id: keyId, target_kind: targetKind, request_id: requestId };
  return { tenant_id: tenantId, ...snake, ...rest };
}

/**
 * A page, newest first, and where the next one begins; null at the end. It walks along the index that has the most of what is asked for.
 * Where that is not all, the page ends after `auditBudget` entries that were looked at, full or not, so that it costs the same whatever
 * is asked for.
 */
export async function listAudit(
  db: Database,
  tenantId: string,
  { after, limit, ...filter }: AuditFilter & SliceOf,
): Promise<{ items: AuditRecord[]; next: Position | null }> {
  const { walk, others } = conditionsOf(filter);
  const looked = others.length === 0 ? limit + 1 : auditBudget;
  const fits = others.length === 0 ? sql`true` : sql.join(others, sql` and `);
  const { rows } = await sql<AuditRecord & { tenantId: string; fits: boolean; place: number }>`
    select * from (
      select *, ${fits} as fits, (row_number() over (order by at desc, id desc))::integer as place from (
        select * from audit_entries
        where tenant_id = ${tenantId}::uuid and ${within(filter, after)} and ${walk}
        order by at desc, id desc limit ${looked}
      ) as walked
    ) as entry
    where fits or place = ${auditBudget} order by place limit ${limit + 1}`.execute(db.kysely);
  const fitting = rows.filter((row) => row.fits);
  const items = fitting.slice(0, limit);
  const last = fitting.length > limit ? items.at(-1) : rows.findLast(({ place }) => place === auditBudget);
  return {
    items: items.map(({ tenantId: _tenant, fits: _fits, place: _place, ...entry }) => entry),
    next: last ? { at: last.at, id: last.id } : null,
  };
}

/** `walk` is the one with an index of its own; where there are several, that which is the sparsest as a rule. */
function conditionsOf({ target, actor, action, outcome, targetKind }: AuditFilter) {
  const isRare = outcome === 'refused' || outcome === 'failed';
  const ofOutcome = outcome && sql`outcome = ${sql.lit(outcome)}`;
  const indexed = [
    target && sql`target = ${target}`,
    isRare && ofOutcome,
    actor && sql`actor = ${actor}`,
    action && sql`action = ${action}`,
  ].flatMap((one) => one || []);
  const [walk = sql`true`, ...others] = indexed;
  const rest = [!isRare && ofOutcome, targetKind && sql`target_kind = ${targetKind}`];
  return { walk, others: [...others, ...rest.flatMap((one) => one || [])] };
}

function within({ since, until }: AuditFilter, after: Position | undefined): RawBuilder<unknown> {
  return sql`true
    ${after ? sql`and (at, id) < (${after.at}::timestamptz, ${after.id}::uuid)` : sql``}
    ${since === undefined ? sql`` : sql`and at >= ${since}::timestamptz`}
    ${until === undefined ? sql`` : sql`and at < ${until}::timestamptz`}`;
}

/** Removes entries that are so many days old, at most `limit`; says how many. Only the owner of the table can. */
export async function dropAudit(db: Database, days: number, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    delete from audit_entries where ctid = any (array(
      select ctid from audit_entries where at < now() - ${days}::integer * interval '1 day' limit ${limit}
    ))`.execute(db.kysely);
  return Number(numAffectedRows);
}
