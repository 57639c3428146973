import { sql } from 'kysely';
import type { Position } from './list-jobs.ts';

/** A part of a list that goes from the newest to the oldest: what comes after a place, so much of it. */
export type SliceOf = { after?: Position | undefined; limit: number };

/** In a statement: older than the place, if there is one. `id` is the column that the list is sorted by after `created_at`. */
export function olderThan(place: Position | undefined, id: 'id' | 'tenant_id' = 'id') {
  if (place === undefined) return sql<boolean>`true`;
  return sql<boolean>`(created_at, ${sql.ref(id)}) < (${place.at}::timestamptz, ${place.id}::uuid)`;
}

/** Cuts the one row off that was read beyond the limit: it tells that there is more, from `next` on. */
export function slice<Row extends { createdAt: string }>(
  rows: readonly Row[],
  limit: number,
  idOf: (row: Row) => string,
): { items: Row[]; next: Position | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const next = rows.length > limit && last ? { at: last.createdAt, id: idOf(last) } : null;
  return { items, next };
}
