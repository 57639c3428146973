import { defaultTenantId } from '@perdure/job/ids';
import type { Http } from './http.ts';
import { oneByOne } from './load.ts';
import { execute } from './servers.ts';
import type { Latency } from './statistics.ts';

export const listSizes = [1_000, 100_000] as const;

export type Lists = Record<'first' | 'byStatus' | 'byFunction' | 'deep', Latency>;

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

/** Pages of fifty, one after the other: the newest, those of one status, those of one function, and one in the middle of the list. */
export async function listRound(
  http: Http,
  pages: number,
  deepToken: string,
  signal: AbortSignal,
): Promise<Lists> {
  const read = (query: string) => oneByOne(() => http.get(`/v1/jobs?pageSize=50${query}`), pages, signal);
  return {
    first: await read(''),
    byStatus: await read('&status=FAILED'),
    byFunction: await read('&function=sleep'),
    deep: await read(`&pageToken=${encodeURIComponent(deepToken)}`),
  };
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
