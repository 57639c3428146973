import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { Database } from './database.ts';
import {
  type Condition,
  conditionsOf,
  type JobFilter,
  type Source,
  type Walk,
  walksOf,
} from './job-filter.ts';
import { toJobRecord } from './job-rows.ts';
import { hasSqlState, sqlStates } from './pg-errors.ts';
import type { JobRecord, Timestamp } from './records.ts';
import type { Schema } from './schema.ts';

export type { JobFilter } from './job-filter.ts';

export type JobSort = '-createdAt' | 'createdAt' | '-endedAt' | 'endedAt';

/** Where a page ended, by the moment of its sort. */
export type Position = { at: Timestamp; id: string };

export type JobListing = JobFilter & { sort: JobSort; after?: Position; limit: number };

/** So many entries of an index are looked at for a page, for each source of the walk. */
export const budget = 750;
/** The bound is where the budget ended a moment ago, and entries may have come since: not by these is a page cut, but PostgreSQL plans for a few. */
const slack = 4 * budget;

export type JobSlice = { jobs: JobRecord[]; next: Position | null };

/** So long the index of names may take: it looks at every name that has the same groups of three characters as the text. */
const textMs = 100;

/**
 * A page of jobs and where the next one begins; null at the end. A list is walked along the one of its indexes that is the sparsest from
 * here on, and no further than `budget` entries: where few of those are in the list the page is short, or even empty, and `next` leads on.
 * So a page costs the same whatever is asked for, and among whatever number of jobs.
 */
export async function listJobs(db: Database, tenantId: string, listing: JobListing): Promise<JobSlice> {
  if (listing.statuses?.length === 0) return { jobs: [], next: null };
  const by = listing.sort.endsWith('createdAt') ? 'createdAt' : 'endedAt';
  const walks = walksOf(tenantId, listing, by);
  if (listing.nameContains === undefined || by === 'endedAt') return slice(db, tenantId, listing, walks);
  try {
    return await db.kysely.transaction().execute(async (transaction) => {
      await sql`set local statement_timeout = ${sql.lit(textMs)}`.execute(transaction);
      return slice({ ...db, kysely: transaction }, tenantId, listing, walks);
    });
  } catch (error) {
    if (!hasSqlState(error, sqlStates.queryCanceled)) throw error;
    return slice(db, tenantId, listing, walksOf(tenantId, listing, by, { byText: false }));
  }
}

/** A page along the best of these walks. */
export async function slice(
  db: Database,
  tenantId: string,
  listing: JobListing,
  walks: readonly Walk[],
): Promise<JobSlice> {
  const { limit } = listing;
  const by = listing.sort.endsWith('createdAt') ? 'createdAt' : 'endedAt';
  const all = conditionsOf(tenantId, listing, by);
  const { walk, reach } = await choose(db, walks, all, listing);
  const conditions = all.filter(({ name }) => !walk.covers.includes(name));
  const heads = walk.sources.map((source) => head(tenantId, source, conditions, listing, reach));
  const { order } = directionOf(listing);
  const { rows } = await sql<Selectable<Schema['jobs']> & { sortedAt: Timestamp }>`
    select job.*, heads.at as sorted_at
    from (${sql.join(heads, sql` union all `)}) as heads, lateral (select * from jobs where jobs.id = heads.id offset 0) as job
    order by heads.at ${order}, heads.id ${order} limit ${limit + 1}`.execute(db.kysely);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    jobs: page.map(({ sortedAt: _at, ...row }) => toJobRecord(row)),
    next: rows.length > limit && last ? { at: last.sortedAt, id: last.id } : reach,
  };
}

type Chosen = { walk: Walk; reach: Position | null };

/** The walk whose budget reaches furthest. A walk with no condition left to look at in each job needs no bound. */
async function choose(
  db: Database,
  walks: readonly Walk[],
  conditions: readonly Condition[],
  listing: JobListing,
): Promise<Chosen> {
  const exact = walks.find(({ covers }) => conditions.every(({ name }) => covers.includes(name)));
  if (exact) return { walk: exact, reach: null };
  const { order, isDescending } = directionOf(listing);
  const reaches = walks.flatMap(({ sources }, walk) =>
    sources.map(
      ({ from, at, id }) =>
        sql`(select ${sql.lit(walk)}::int as walk, ${at} as at, ${id} as id from ${from} ${within(listing, at, id)}
          order by ${at} ${order}, ${id} ${order} offset ${budget - 1} limit 1)`,
    ),
  );
  const { rows } = await sql<Position & { walk: number }>`${sql.join(reaches, sql` union all `)}`.execute(
    db.kysely,
  );
  const further = (one: Position, other: Position): boolean =>
    one.at === other.at ? one.id < other.id === isDescending : one.at < other.at === isDescending;
  const chosen = walks.map((walk, index): Chosen => {
    const own = rows.filter((row) => row.walk === index);
    const nearest = own.reduce<Position | null>(
      (best, row) => (best && further(row, best) ? best : row),
      null,
    );
    return { walk, reach: nearest && { at: nearest.at, id: nearest.id } };
  });
  return chosen.reduce((best, one) =>
    best.reach === null || (one.reach !== null && !further(one.reach, best.reach)) ? best : one,
  );
}

/** The first of a source: a member of a union can have a limit when it stands in brackets. */
function head(
  tenantId: string,
  { from, at, id }: Source,
  conditions: readonly Condition[],
  listing: JobListing,
  reach: Position | null,
): RawBuilder<unknown> {
  const { order, notBeyond } = directionOf(listing);
  const bound = reach ? sql`and (${at}, ${id}) ${notBeyond} (${reach.at}::timestamptz, ${reach.id})` : sql``;
  const entries = sql`select ${at} as at, ${id} as id from ${from} ${within(listing, at, id)} ${bound}
    order by ${at} ${order}, ${id} ${order}`;
  if (conditions.length === 0) return sql`(${entries} limit ${listing.limit + 1})`;
  // Entry by entry, in their order, until the page is full.
  return sql`(select entries.at, entries.id from (${entries} limit ${slack}) as entries,
    lateral (select * from jobs where jobs.id = entries.id offset 0) as job
    where job.tenant_id = ${tenantId} and ${sql.join(
      conditions.map((one) => one.sql),
      sql` and `,
    )}
    order by entries.at ${order}, entries.id ${order} limit ${listing.limit + 1})`;
}

/** Beyond the page before, and in the range of the moment that the list is sorted by. */
function within(listing: JobListing, at: RawBuilder<string>, id: RawBuilder<string>): RawBuilder<unknown> {
  const { after } = listing;
  const { beyond } = directionOf(listing);
  const [from, until] = listing.sort.endsWith('createdAt')
    ? [listing.createdAfter, listing.createdBefore]
    : [listing.endedAfter, listing.endedBefore];
  return sql`${after ? sql`and (${at}, ${id}) ${beyond} (${after.at}::timestamptz, ${after.id})` : sql``}
    ${from === undefined ? sql`` : sql`and ${at} >= ${from}::timestamptz`}
    ${until === undefined ? sql`` : sql`and ${at} < ${until}::timestamptz`}`;
}

function directionOf({ sort }: JobListing) {
  const isDescending = sort.startsWith('-');
  return {
    isDescending,
    order: sql.raw(isDescending ? 'desc' : 'asc'),
    beyond: sql.raw(isDescending ? '<' : '>'),
    notBeyond: sql.raw(isDescending ? '>=' : '<='),
  };
}
