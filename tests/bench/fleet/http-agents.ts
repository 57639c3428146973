import { randomUUID } from 'node:crypto';
import { type Http, openHttp } from '../http.ts';
import type { RunningApi } from '../programs.ts';
import { type FleetRequest, idsOf } from './spec.ts';

type Assignment = { id: string; attempt: number; parameters: object };

/** A load that fails is over soon: its figures are worth nothing. */
const maxFailures = 20;

/** Agents that have nothing but the API, each with a key of its own, for `echo`. */
export async function openHttpAgents(
  { http: admin, origin }: RunningApi,
  fleet: Pick<FleetRequest, 'name' | 'agents' | 'pools'>,
) {
  const agents = await Promise.all(
    idsOf(fleet).map(async (id) => {
      const { body } = await admin.post('/v1/keys', { name: id, agentId: id });
      const http = openHttp(origin, (body as { key: string }).key);
      const functions = [{ name: 'echo', version: '1.0.0' }];
      await http.post('/v1/agents', { functions, pools: fleet.pools, slots: 1 });
      return { id, http };
    }),
  );
  return {
    /** They do so many jobs between them. Answers how many calls failed, and had to be made again. */
    async work(jobs: number, signal: AbortSignal): Promise<number> {
      let [left, failures] = [jobs, 0];
      async function patiently<T>(call: () => Promise<T>): Promise<T> {
        for (;;) {
          try {
            return await call();
          } catch (failure) {
            signal.throwIfAborted();
            if (++failures >= maxFailures) throw failure;
          }
        }
      }
      await Promise.all(
        agents.map(async ({ id, http }) => {
          while (left-- > 0) await doOne(id, http, patiently, signal);
        }),
      );
      return failures;
    },
    close: () => agents.forEach(({ http }) => http.close()),
  };
}

async function doOne(
  agentId: string,
  http: Http,
  patiently: <T>(call: () => Promise<T>) => Promise<T>,
  signal: AbortSignal,
): Promise<void> {
  const { id, attempt, parameters } = await claim(agentId, http, patiently, signal);
  await patiently(() => http.post(`/v1/jobs/${id}/reports`, { attempt, status: 'RUNNING' }));
  await patiently(() => http.post(`/v1/jobs/${id}:complete`, { attempt, output: { echo: parameters } }));
}

/** Asks until a job comes. A repeat under the same id is answered with the same job. */
async function claim(
  agentId: string,
  http: Http,
  patiently: <T>(call: () => Promise<T>) => Promise<T>,
  signal: AbortSignal,
): Promise<Assignment> {
  for (;;) {
    signal.throwIfAborted();
    const request = { claimId: randomUUID(), waitSeconds: 20 };
    const { status, body } = await patiently(() => http.post(`/v1/agents/${agentId}/claim`, request));
    if (status === 200) return body as Assignment;
  }
}
