import { defaultTenantId } from '@perdure/job/ids';
import type { Http } from './http.ts';
import { inTurns } from './load.ts';
import { execute } from './servers.ts';
import { type Latency, latencyOf } from './statistics.ts';

export const listSizes = { small: 1_000, large: 100_000 };

export type View = 'first' | 'byStatus' | 'byFunction' | 'deep';
export type ListRound = Record<View, { small: Latency; large: Latency }>;

/** Jobs that have ended, as the record keeps them: of four functions, one in ten failed, one a minute into the past. */
export async function insertJobs(databaseUrl: string, count: number): Promise<void> {
  const start = `jsonb_build_object('tenantId', '${defaultTenantId}', 'owner', 'bench', 'function', 'echo', 'version', '1.0.0', 'parameters', parameters,
    'labels', '{}'::jsonb, 'priority', 3, 'limits', '{}'::jsonb, 'maxAgentLosses', 3, 'historyEvents', 2000, 'admitted', true)`;
  await execute(
    databaseUrl,
    `insert into jobs (id, tenant_id, owner, function_name, function_version, status, attempt, agent_id, agent_losses, parameters, labels,
      priority, limits, output, files, revision, last_seq, start, created_at, queued_at, started_at, ended_at, updated_at, workflow_started_at)
    select gen_random_uuid()::text, '${defaultTenantId}', 'bench', (array['echo', 'sleep', 'fail', 'count'])[1 + number % 4], '1.0.0',
      case number % 10 when 0 then 'FAILED' else 'COMPLETED' end, 1, 'agent', 0, parameters, '{}', 3, '{}', parameters, '[]', 4, 7,
      ${start}, at, at, at, at, at, at
    from generate_series(1, ${count}) as number,
      lateral (select now() - number * interval '1 minute' as at, jsonb_build_object('text', repeat('word ', 40), 'number', number) as parameters) as made`,
  );
  await execute(databaseUrl, 'vacuum analyze jobs');
}

export type ListTarget = { http: Http; deepToken: string };

/** Pages of fifty: the newest, those of one status, those of one function, and one some way into the list. The two lists take turns. */
export async function listRound(
  targets: { small: ListTarget; large: ListTarget },
  pages: number,
  signal: AbortSignal,
): Promise<ListRound> {
  const read = async (queryFor: (target: ListTarget) => string) => {
    const calls = Object.values(targets).map((target) => () => {
      return target.http.get(`/v1/jobs?pageSize=50${queryFor(target)}`);
    });
    const [small = none, large = none] = await inTurns(calls, pages, signal);
    return { small, large };
  };
  return {
    first: await read(() => ''),
    byStatus: await read(() => '&status=FAILED'),
    byFunction: await read(() => '&function=sleep'),
    deep: await read(({ deepToken }) => `&pageToken=${encodeURIComponent(deepToken)}`),
  };
}

const none: Latency = latencyOf([]);

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
