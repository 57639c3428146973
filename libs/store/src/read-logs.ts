import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import type { Database } from './database.ts';
import type { LogLine } from './records.ts';
import type { Schema } from './schema.ts';

export type LogFilter = {
  /** Exclusive: the `at` of the last line that was read. */
  since?: string | undefined;
  attempt?: number | undefined;
  streams?: readonly LogLine['stream'][] | undefined;
  levels?: readonly LogLine['level'][] | undefined;
  /** Only lines that contain this text, whatever the case of its letters. */
  containing?: string | undefined;
};

/**
 * A table of today has no statistics yet: left alone, PostgreSQL would collect and sort all lines of the job for each part of
 * them that is read.
 */
export const alongTheIndex = 'set local enable_bitmapscan = off; set local enable_seqscan = off';

/**
 * So many lines at once, and so many bytes of text: the line with which there are as many is the last. `searched`: where to stop a search,
 * by the same measures.
 */
export type LogPart = {
  limit: number;
  bytes: number;
  searched?: { lines: number; bytes: number } | undefined;
};

/**
 * Lines of a job, oldest first: a part of those that pass the filter, of the lines that a search may look at. `until`: where the search
 * stopped, if it did. `full`: there are as many lines, or bytes, as were wanted; there may be more.
 */
export async function getLogs(
  db: Database,
  tenantId: string,
  jobId: string,
  { limit, bytes, searched, ...filter }: LogFilter & LogPart,
): Promise<{ lines: LogLine[]; until: string | undefined; full: boolean }> {
  return db.kysely.transaction().execute(async (transaction) => {
    await sql.raw(alongTheIndex).execute(transaction);
    const all = linesAfter(transaction, tenantId, jobId, filter.since);
    const edge =
      searched &&
      (await transaction
        .selectFrom(all.select(['at', bytesSoFar, linesSoFar]).limit(searched.lines).as('line'))
        .select('at')
        .where((line) => line.or([line('lines', '>=', searched.lines), line('bytes', '>=', searched.bytes)]))
        .orderBy('at')
        .limit(1)
        .executeTakeFirst());
    const found = await transaction
      .selectFrom(
        passing(all, { ...filter, until: edge?.at })
          .select(['at', 'attempt', 'stream', 'level', 'text', bytesSoFar])
          .limit(limit)
          .as('line'),
      )
      .selectAll()
      .where(sql<boolean>`bytes - octet_length(text) < ${bytes}`)
      .orderBy('at')
      .execute();
    const full = found.length === limit || (found.at(-1)?.bytes ?? 0) >= bytes;
    return { lines: found.map(({ bytes: _sum, ...line }) => line), until: edge?.at, full };
  });
}

const bytesSoFar = sql<number>`sum(octet_length(text)) over (order by at rows unbounded preceding)`.as(
  'bytes',
);
const linesSoFar = sql<number>`row_number() over (order by at rows unbounded preceding)`.as('lines');

type Lines = SelectQueryBuilder<Schema, 'jobLogs', object>;

function linesAfter(db: Kysely<Schema>, tenantId: string, jobId: string, since: string | undefined): Lines {
  const all = db.selectFrom('jobLogs').where('tenantId', '=', tenantId).where('jobId', '=', jobId);
  const rest = since === undefined ? all : all.where(sql<boolean>`at > ${since}::timestamptz`);
  return rest.orderBy('at');
}

function passing(
  all: Lines,
  { until, attempt, streams, levels, containing }: Omit<LogFilter, 'since'> & { until: string | undefined },
): Lines {
  let query = all;
  if (until !== undefined) query = query.where(sql<boolean>`at <= ${until}::timestamptz`);
  if (attempt !== undefined) query = query.where('attempt', '=', attempt);
  if (streams !== undefined) query = query.where('stream', 'in', streams);
  if (levels !== undefined) query = query.where('level', 'in', levels);
  if (containing !== undefined)
    query = query.where('text', 'ilike', `%${containing.replace(/[\\%_]/g, '\\$&')}%`);
  return query;
}
