import type { Status } from '@perdure/job/status';
import { type RawBuilder, sql } from 'kysely';
import type { Timestamp } from './records.ts';

export type JobFilter = {
  /** Only jobs that this user owns, or was given access to. */
  visibleTo?: string;
  statuses?: readonly Status[];
  functionName?: string;
  /** Has the job, or had it. */
  agentId?: string;
  pool?: string;
  owner?: string;
  /** The parameter `model`. */
  model?: string;
  /** The job has all of them. */
  labels?: readonly (readonly [key: string, value: string])[];
  /** Inclusive. */
  createdAfter?: Timestamp;
  /** Exclusive. */
  createdBefore?: Timestamp;
  /** Inclusive. */
  endedAfter?: Timestamp;
  /** Exclusive. */
  endedBefore?: Timestamp;
  archived: boolean | 'any';
  /** In capitals or not. At least three characters: the index knows nothing shorter. */
  nameContains?: string;
};

/** What a job must be like. `name` tells conditions apart. */
export type Condition = { name: string; sql: RawBuilder<boolean> };

/** Rows of one index in the order of a sort. `from` calls the table `entry`. */
export type Source = {
  from: RawBuilder<unknown>;
  at: RawBuilder<string>;
  id: RawBuilder<string>;
};

/** A way to walk the list: in each of its sources every job has the conditions named in `covers`, and no job of the list is in none. */
export type Walk = { sources: readonly Source[]; covers: readonly string[] };

/** The conditions of the filter, on a row that is called `job`. Ranges of the sort itself are bounds of the walk instead. */
export function conditionsOf(tenantId: string, filter: JobFilter, by: 'createdAt' | 'endedAt'): Condition[] {
  const {
    visibleTo,
    statuses,
    archived,
    nameContains,
    createdAfter,
    createdBefore,
    endedAfter,
    endedBefore,
  } = filter;
  const all: (Condition | undefined)[] = [
    statuses && { name: 'status', sql: sql`job.status = any(${[...new Set(statuses)]}::text[])` },
    archived === 'any'
      ? undefined
      : { name: 'archived', sql: archived ? sql`job.archived_at is not null` : sql`job.archived_at is null` },
    ...facetsOf(filter).map(({ name, facet, column }) => ({
      name,
      // Parameters and labels may be long, and agents many. A query of its own for each job: as a join it might be planned to read the whole facet.
      sql: column ?? hasFacet(tenantId, facet),
    })),
    visibleTo === undefined
      ? undefined
      : {
          name: 'visible',
          sql: sql`(job.owner = ${visibleTo} or ${hasFacet(tenantId, facetOf('grant', visibleTo))})`,
        },
    nameContains === undefined
      ? undefined
      : { name: 'name', sql: sql`job.name ilike ${patternOf(nameContains)}` },
    ...(by === 'createdAt'
      ? [after('ended', sql`job.ended_at`, endedAfter), before('ended', sql`job.ended_at`, endedBefore)]
      : [
          after('created', sql`job.created_at`, createdAfter),
          before('created', sql`job.created_at`, createdBefore),
        ]),
  ];
  return all.filter((one) => one !== undefined);
}

/** Every index along which the list can be walked. Not `byText`: past all names, in their order. */
export function walksOf(
  tenantId: string,
  filter: JobFilter,
  by: 'createdAt' | 'endedAt',
  { byText = true } = {},
): Walk[] {
  const { visibleTo, statuses, archived, nameContains } = filter;
  const jobs = (condition: RawBuilder<unknown>, at = sql<string>`entry.created_at`): Source => ({
    from: sql`jobs as entry where entry.tenant_id = ${tenantId} and ${condition}`,
    at,
    id: sql`entry.id`,
  });
  if (by === 'endedAt') {
    return [{ sources: [jobs(sql`entry.ended_at is not null`, sql`entry.ended_at`)], covers: [] }];
  }
  const listed = (from: RawBuilder<unknown>): Source => ({
    from,
    at: sql`entry.created_at`,
    id: sql`entry.job_id`,
  });
  const archive = archived === false ? [] : [jobs(sql`entry.archived_at is not null`)];
  const live = archived === true ? [] : [jobs(sql`entry.archived_at is null`)];
  const ofStatuses = [...new Set(statuses)].map((status) =>
    jobs(sql`entry.status = ${status} and entry.archived_at is null`),
  );
  const having = (facet: RawBuilder<string>): Source =>
    listed(sql`job_facets as entry where entry.tenant_id = ${tenantId} and entry.facet = ${facet}`);
  const walks: Walk[] = facetsOf(filter).map(({ name, facet }) => ({
    sources: [having(facet)],
    covers: [name],
  }));
  if (visibleTo !== undefined) {
    // No job is in both: its owner is given nothing.
    const sources = [having(facetOf('owner', visibleTo)), having(facetOf('grant', visibleTo))];
    walks.push({ sources, covers: ['visible'] });
  }
  if (nameContains !== undefined) {
    const match = byText ? sql`and entry.name ilike ${patternOf(nameContains)}` : sql``;
    const from = sql`tenant_job_names as entry where entry.tenant_id = ${tenantId} ${match}`;
    walks.push({ sources: [listed(from)], covers: byText ? ['name'] : [] });
  }
  if (statuses !== undefined && archived !== true) {
    walks.push({
      sources: [...ofStatuses, ...archive],
      covers: archived === 'any' ? [] : ['status', 'archived'],
    });
  }
  return walks.length > 0 ? walks : [{ sources: [...live, ...archive], covers: ['archived'] }];
}

function facetsOf({ functionName, agentId, pool, owner, model, labels = [] }: JobFilter) {
  const single = { function: functionName, agent: agentId, pool, owner, model };
  const columns: Partial<Record<string, string>> = {
    function: 'function_name',
    pool: 'pool',
    owner: 'owner',
  };
  return [
    ...Object.entries(single).flatMap(([kind, value]) => {
      if (value === undefined) return [];
      const column = columns[kind];
      return [
        {
          name: kind,
          facet: facetOf(kind, value),
          column: column === undefined ? undefined : sql<boolean>`job.${sql.raw(column)} = ${value}`,
        },
      ];
    }),
    ...labels.map(([key, value]) => ({
      name: `label ${JSON.stringify([key, value])}`,
      facet: sql<string>`job_facet('label', jsonb_build_array(${key}::text, ${value}::text)::text)`,
      column: undefined,
    })),
  ];
}

const facetOf = (kind: string, value: string): RawBuilder<string> => sql`job_facet(${kind}, ${value})`;

const hasFacet = (tenantId: string, facet: RawBuilder<string>): RawBuilder<boolean> =>
  sql`(select true from job_facets as other where other.tenant_id = ${tenantId} and other.facet = ${facet}
    and other.created_at = job.created_at and other.job_id = job.id limit 1)`;

const after = (
  name: string,
  column: RawBuilder<unknown>,
  moment: string | undefined,
): Condition | undefined =>
  moment === undefined ? undefined : { name, sql: sql`${column} >= ${moment}::timestamptz` };

const before = (
  name: string,
  column: RawBuilder<unknown>,
  moment: string | undefined,
): Condition | undefined =>
  moment === undefined ? undefined : { name, sql: sql`${column} < ${moment}::timestamptz` };

function patternOf(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}
