import { waitFor } from '../support/wait.ts';
import type { Plan } from './arguments.ts';
import type { Http } from './http.ts';
import { closedLoop, fixedRate, type Load } from './load.ts';

/** The rate at which the reads of the aim come. */
export const readsPerSecond = 500;

const readers = 16;
const running = 4;

export type Reads = Record<
  'bare' | 'finished' | 'unchanged' | 'finishedAtRate' | 'running' | 'runningAtRate',
  Load
>;

/**
 * Finished jobs, which the record answers for, and running ones, which the workflow is asked about as well: each as fast as the API answers,
 * and at a fixed rate. Beside them the bare server, which reads the rows of the same jobs, and conditional reads that are answered 304. `finish`
 * has a job done and answers its id.
 */
export async function readRound(
  http: Http,
  bare: Http,
  finish: () => Promise<string>,
  plan: Plan,
  signal: AbortSignal,
): Promise<Reads> {
  const finished = await waitFor(() => Promise.all(Array.from({ length: 20 }, finish)), {
    timeoutMs: 60_000,
    what: 'jobs to finish',
  });
  const sleeping = await startSleeping(http);
  const fastest = (read: () => Promise<unknown>): Promise<Load> =>
    closedLoop(read, { inFlight: readers, windowMs: plan.readMs, warmUpMs: plan.warmUpMs / 2, signal });
  const fast = (ids: string[]): Promise<Load> => fastest(oneOf(http, ids));
  const known = await Promise.all(finished.map(async (id) => ({ id, etag: await etagOf(http, id) })));
  const steady = (ids: string[]): Promise<Load> =>
    fixedRate(oneOf(http, ids), { perSecond: readsPerSecond, forMs: plan.readMs, signal });
  const reads = {
    bare: await fastest(inTurn(finished, (id) => bare.get(`/jobs/${id}`))),
    finished: await fast(finished),
    unchanged: await fastest(
      inTurn(known, ({ id, etag }) => http.get(`/v1/jobs/${id}`, { 'if-none-match': etag })),
    ),
    finishedAtRate: await steady(finished),
    running: await fast(sleeping.ids),
    runningAtRate: await steady(sleeping.ids),
  };
  await sleeping.end();
  return reads;
}

/** Jobs that run until `end`. */
export async function startSleeping(http: Http): Promise<{ ids: string[]; end(): Promise<void> }> {
  const submit = async (): Promise<string> => {
    const { body } = await http.post('/v1/jobs', { function: 'sleep', parameters: { seconds: 3_600 } });
    return (body as { id: string }).id;
  };
  const ids = await Promise.all(Array.from({ length: running }, submit));
  const all = (wanted: string) => async (): Promise<boolean> => {
    const answers = await Promise.all(ids.map((id) => http.get(`/v1/jobs/${id}`)));
    return answers.every(({ body }) => (body as { status: string }).status === wanted);
  };
  await waitFor(all('RUNNING'), { timeoutMs: 30_000, what: 'jobs to run' });
  return {
    ids,
    async end() {
      await Promise.all(ids.map((id) => http.post(`/v1/jobs/${id}:cancel`, { mode: 'force' })));
      await waitFor(all('CANCELED'), { timeoutMs: 30_000, what: 'jobs to be canceled' });
    },
  };
}

const oneOf = (http: Http, ids: readonly string[]) => inTurn(ids, (id) => http.get(`/v1/jobs/${id}`));

function inTurn<One>(all: readonly One[], read: (one: One) => Promise<unknown>): () => Promise<unknown> {
  let turn = 0;
  return async () => {
    const one = all[turn++ % all.length];
    if (one !== undefined) await read(one);
  };
}

async function etagOf(http: Http, id: string): Promise<string> {
  const { body } = await http.get(`/v1/jobs/${id}`);
  return `"${(body as { revision: number }).revision}"`;
}
