import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, type Http, openHttp } from '../http.ts';
import type { RunningApi } from '../programs.ts';
import { type FleetRequest, idsOf } from './spec.ts';

type Assignment = { id: string; attempt: number; parameters: object };

/** A call that fails is made so often before the job counts as lost to the agent. */
const tries = 3;
const againMs = 100;
/** Short, so that a job that is lost to its agent comes back within the measurement. */
const leaseSeconds = 3;
const waitSeconds = 5;

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
      await http.post('/v1/agents', { functions, pools: fleet.pools, slots: 1, leaseSeconds });
      return { id, http };
    }),
  );
  return {
    /** They do so many jobs between them. Answers how many calls failed. */
    async work(jobs: number, signal: AbortSignal): Promise<number> {
      let [taken, failures] = [0, 0];
      const count = (): number => ++failures;
      await Promise.all(
        agents.map(async ({ id, http }) => {
          while (taken < jobs) {
            taken++;
            if (!(await workOnce(id, http, signal, count))) taken--;
          }
        }),
      );
      return failures;
    },
    close: () => agents.forEach(({ http }) => http.close()),
  };
}

/** True when a job came and was completed. */
async function workOnce(
  agentId: string,
  http: Http,
  signal: AbortSignal,
  onFailure: () => void,
): Promise<boolean> {
  async function ask(path: string, body: object): Promise<Answer | undefined> {
    for (let turn = 1; turn <= tries; turn++) {
      signal.throwIfAborted();
      try {
        return await http.post(path, body);
      } catch {
        onFailure();
        await pause(againMs);
      }
    }
    return undefined;
  }
  // A repeat under the same id is answered with the same job.
  const claim = await ask(`/v1/agents/${agentId}/claim`, { claimId: randomUUID(), waitSeconds });
  if (claim?.status !== 200) return false;
  const { id, attempt, parameters } = claim.body as Assignment;
  const reported = await ask(`/v1/jobs/${id}/reports`, { attempt, status: 'RUNNING' });
  if (reported === undefined) return false;
  const output = { echo: parameters };
  return (await ask(`/v1/jobs/${id}:complete`, { attempt, output })) !== undefined;
}
