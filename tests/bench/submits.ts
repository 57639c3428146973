import { waitFor } from '../support/wait.ts';
import type { Plan } from './arguments.ts';
import type { Http } from './http.ts';

/** Jobs accepted in a second: one a request, and all in one. */
export type Submits = { jobs: number; single: number; batch: number };

const inFlight = 16;
const request = { function: 'echo', parameters: { text: 'a few words' } };

/** The same jobs twice. They run meanwhile, as they would; before the second time all of the first have ended. */
export async function submitRound(
  http: Http,
  { submits: jobs }: Plan,
  round: number,
  signal: AbortSignal,
): Promise<Submits> {
  const single = async (): Promise<void> => {
    let left = jobs;
    const worker = async (): Promise<void> => {
      while (left-- > 0 && !signal.aborted) await http.post('/v1/jobs', request);
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
  };
  const batch = async (): Promise<void> => {
    await http.post('/v1/jobs:batch', { requests: Array.from({ length: jobs }, () => request) });
  };
  const perSecond = async (submit: () => Promise<void>): Promise<number> => {
    const since = new Date().toISOString();
    const began = performance.now();
    await submit();
    const rate = (jobs / (performance.now() - began)) * 1_000;
    signal.throwIfAborted();
    await allEnded(http, since);
    return rate;
  };
  // Each round begins with the other one.
  const first = round % 2 === 0 ? await perSecond(single) : await perSecond(batch);
  const second = round % 2 === 0 ? await perSecond(batch) : await perSecond(single);
  return round % 2 === 0 ? { jobs, single: first, batch: second } : { jobs, batch: first, single: second };
}

/** Those of this round: others may be waiting for tomorrow. */
async function allEnded(http: Http, since: string): Promise<void> {
  const none = async (): Promise<boolean> => {
    const { body } = await http.get(
      `/v1/jobs?pageSize=1&createdAfter=${since}&status=CREATED,PENDING,CLAIMED,VALIDATING,RUNNING,UPLOADING`,
    );
    return (body as { items: unknown[] }).items.length === 0;
  };
  await waitFor(none, { timeoutMs: 300_000, everyMs: 250, what: 'all jobs to end' });
}
