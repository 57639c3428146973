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

/** So many lines at once, and where to stop a search. */
export type LogPart = { limit: number; searched?: number | undefined };

/**
 * Lines of a job, oldest first: at most `limit`, and of the first `searched` lines only those that pass the filter. `until`: the
 * last of these, where there are as many.
 */
export async function getLogs(
  db: Database,
  tenantId: string,
  jobId: string,
  { limit, searched, ...filter }: LogFilter & LogPart,
): Promise<{ lines: LogLine[]; until: string | undefined }> {
  return db.kysely.transaction().execute(async (transaction) => {
    await sql.raw(alongTheIndex).execute(transaction);
    const all = linesAfter(transaction, tenantId, jobId, filter.since);
    const edge =
      searched === undefined
        ? undefined
        : await all
            .select('at')
            .offset(searched - 1)
            .limit(1)
            .executeTakeFirst();
    const lines = await passing(all, { ...filter, until: edge?.at })
      .select(['at', 'attempt', 'stream', 'level', 'text'])
      .limit(limit)
      .execute();
    return { lines, until: edge?.at };
  });
}

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
