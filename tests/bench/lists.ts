import { defaultTenantId } from '@perdure/job/ids';
import type { Http } from './http.ts';
import { inTurns } from './load.ts';
import { execute } from './servers.ts';
import { type Latency, latencyOf } from './statistics.ts';

/** What is asked for beside the size of the page: every filter of the API, of what is common and of what is rare, every sort, and some together. */
const queries = {
  'the newest': '',
  'the oldest': 'sort=createdAt',
  'ended last': 'sort=-endedAt',
  'ended first': 'sort=endedAt',
  'of one status': 'status=FAILED',
  'of three statuses': 'status=PENDING,CANCELED,FAILED',
  'under way': 'status=CREATED,PENDING,CLAIMED,VALIDATING,RUNNING,UPLOADING',
  'of one status, ended first': 'status=CANCELED&sort=endedAt',
  'of one function': 'function=sleep',
  'of a rare function': 'function=fail',
  'of one agent': 'agent=agent-3',
  'of a rare agent': 'agent=agent-rare',
  'of one pool': 'pool=gpu',
  'of one owner': 'owner=owner-3',
  'of a rare owner': 'owner=rare',
  'of one model': 'model=model-3',
  'of a rare model': 'model=rare',
  'with a label': 'label=team:team-3',
  'with two labels': 'label=team:team-3&label=stage:rare',
  'with a common text in the name': 'q=nightly',
  'with a rare text in the name': 'q=needle',
  'created in a range': 'createdAfter={101}&createdBefore={100}',
  'ended in a range': 'endedAfter={101}&endedBefore={100}',
  archived: 'archived=true',
  'archived or not': 'archived=any',
  'of a function and status': 'function=sleep&status=FAILED',
  'of an owner, pool and model': 'owner=owner-3&pool=gpu&model=model-3',
  'of what is never together': 'function=fail&owner=rare&status=CANCELED',
  'of a rare owner, ended last': 'owner=rare&sort=-endedAt',
} as const;

export const views = [
  ...(Object.keys(queries) as (keyof typeof queries)[]),
  'after 900 others',
  'counts',
] as const;
export type View = (typeof views)[number];
/** These need look at no other job than those of the page, so that they cost the same in a list of any length. */
export const flatViews: readonly View[] = ['the newest', 'of one status', 'after 900 others'];

export type ListRound = Record<View, { small: Latency; large: Latency }>;

const otherTenantId = '0199f6a0-0000-7000-8000-00000000000b';

/**
 * `count` jobs as the record keeps them, two a minute into the past, and a third as many of another tenant between them: of four functions, one in ten failed,
 * one in fifty archived, 300 under way, and some values that one in ten thousand has. The rows that triggers would make one by one are made together.
 */
export async function insertJobs(databaseUrl: string, count: number): Promise<void> {
  const start = (tenantId: string) =>
    `jsonb_build_object('tenantId', '${tenantId}', 'owner', owner, 'function', 'echo', 'version', '1.0.0', 'parameters', parameters,
      'labels', labels, 'priority', 3, 'limits', '{}'::jsonb, 'maxAgentLosses', 3, 'historyEvents', 2000, 'admitted', true)`;
  const jobsOf = (tenantId: string, many: number, seconds: number) => `
    insert into jobs (id, tenant_id, owner, name, function_name, function_version, pool, status, attempt, agent_id, agent_losses, parameters, labels,
      priority, limits, output, files, revision, last_seq, start, created_at, queued_at, started_at, ended_at, updated_at, workflow_started_at, archived_at)
    select gen_random_uuid()::text, '${tenantId}', owner, name, function_name, '1.0.0', case number % 8 when 0 then 'gpu' end, status, 1, agent_id, 0,
      parameters, labels, 3, '{}', parameters, '[]', 4, 7, ${start(tenantId)}, at, at, at, case when not under_way then at + interval '2 seconds' end, at, at,
      case when number % 50 = 3 and not under_way then now() end
    from generate_series(1, ${many}) as number, lateral (
      select now() - number * interval '${seconds} seconds' as at, number % 10000 = 77 as rare, number <= 300 as under_way
    ) as moment, lateral (
      select case when rare then 'rare' else 'owner-' || number % 40 end as owner,
        case when rare then 'a needle in it ' || number when number % 2 = 0 then 'nightly run ' || number end as name,
        case when number % 10000 = 33 then 'fail' else (array['echo', 'sleep', 'count'])[1 + number % 3] end as function_name,
        case when rare then 'agent-rare' else 'agent-' || number % 30 end as agent_id,
        case when under_way then (array['PENDING', 'RUNNING'])[1 + number % 2] when number % 10 = 0 then 'FAILED'
          when number % 1000 = 1 then 'CANCELED' else 'COMPLETED' end as status,
        jsonb_build_object('text', repeat('word ', 40), 'number', number, 'model', case when rare then 'rare' else 'model-' || number % 20 end) as parameters,
        jsonb_build_object('team', 'team-' || number % 12, 'stage', case when rare then 'rare' else 'live' end) as labels
    ) as made`;
  await execute(
    databaseUrl,
    `set session_replication_role = replica;
    set work_mem = '256MB';
    insert into tenants (tenant_id, name) values ('${otherTenantId}', 'another');
    ${jobsOf(defaultTenantId, count, 30)};
    ${jobsOf(otherTenantId, Math.floor(count / 3), 90)};
    insert into job_facets (tenant_id, facet, created_at, job_id)
      select * from (select tenant_id, job_facets_of(jobs) as facet, created_at, id from jobs offset 0) as made order by 1, 2, 3, 4;
    insert into job_names (tenant_id, created_at, job_id, name) select tenant_id, created_at, id, name from jobs where name is not null order by 1, 2, 3;
    insert into job_tallies select tenant_id, status, archived_at is not null, count(*) from jobs where ended_at is not null group by 1, 2, 3;`,
  );
  for (const table of ['jobs', 'job_facets', 'job_names', 'job_tallies'])
    await execute(databaseUrl, `vacuum analyze ${table}`);
}

export type ListTarget = { http: Http; deepToken: string };

/** Pages of fifty, view by view; the two lists take turns. */
export async function listRound(
  targets: { small: ListTarget; large: ListTarget },
  pages: number,
  signal: AbortSignal,
): Promise<ListRound> {
  const read = async (pathFor: (target: ListTarget) => string) => {
    const calls = Object.values(targets).map((target) => () => target.http.get(pathFor(target)));
    const [small = none, large = none] = await inTurns(calls, pages, signal);
    return { small, large };
  };
  const round: Partial<ListRound> = {};
  // The first requests of a process are slow whatever they ask for.
  await inTurns(
    Object.values(targets).map(
      ({ http }) =>
        () =>
          http.get('/v1/jobs?pageSize=50'),
    ),
    pages,
    signal,
  );
  for (const [view, query] of Object.entries(queries) as [keyof typeof queries, string][])
    round[view] = await read(() => `/v1/jobs?pageSize=50&${datesIn(query)}`);
  round['after 900 others'] = await read(
    ({ deepToken }) => `/v1/jobs?pageSize=50&pageToken=${encodeURIComponent(deepToken)}`,
  );
  round.counts = await read(() => '/v1/jobs:counts');
  return round as ListRound;
}

const none: Latency = latencyOf([]);

/** `{100}` is the moment a hundred days ago. */
function datesIn(query: string): string {
  return query.replace(/\{(\d+)\}/g, (_, days: string) =>
    new Date(Date.now() - Number(days) * 86_400_000).toISOString(),
  );
}

/** The token of a page some way into the list: the same number of pages from the top in both lists. */
export async function deepTokenOf(http: Http): Promise<string> {
  let token = '';
  for (let page = 0; page < 9; page++) {
    const { body } = await http.get(
      `/v1/jobs?pageSize=100${token === '' ? '' : `&pageToken=${encodeURIComponent(token)}`}`,
    );
    token = (body as { nextPageToken: string }).nextPageToken;
  }
  return token;
}
