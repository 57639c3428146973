import { waitFor } from '../support/wait.ts';
import type { Plan } from './arguments.ts';
import type { Http } from './http.ts';
import { closedLoop, fixedRate, type Load } from './load.ts';

/** The rate at which the reads of the aim come. */
export const readsPerSecond = 500;

const readers = 16;
const running = 4;

export type Reads = Record<'finished' | 'finishedAtRate' | 'running' | 'runningAtRate', Load>;

export type ReadTargets = { finished: string[]; running: string[]; end(): Promise<void> };

/** Finished jobs to read, and jobs that run until `end`. */
export async function prepareReads(http: Http, finished: string[]): Promise<ReadTargets> {
  const submit = async (): Promise<string> => {
    const { body } = await http.post('/v1/jobs', { function: 'sleep', parameters: { seconds: 3_600 } });
    return (body as { id: string }).id;
  };
  const ids = await Promise.all(Array.from({ length: running }, submit));
  const statuses = (wanted: RegExp) => async (): Promise<boolean> => {
    const answers = await Promise.all(ids.map((id) => http.get(`/v1/jobs/${id}`)));
    return answers.every(({ body }) => wanted.test((body as { status: string }).status));
  };
  await waitFor(statuses(/^RUNNING$/), { timeoutMs: 30_000, what: 'jobs to run' });
  return {
    finished,
    running: ids,
    async end() {
      await Promise.all(ids.map((id) => http.post(`/v1/jobs/${id}:cancel`, { mode: 'force' })));
      await waitFor(statuses(/^CANCELED$/), { timeoutMs: 30_000, what: 'jobs to be canceled' });
    },
  };
}

/** As fast as the API answers, and at a fixed rate. */
export async function readRound(
  http: Http,
  targets: ReadTargets,
  { readMs, warmUpMs }: Plan,
  signal: AbortSignal,
): Promise<Reads> {
  const fast = (ids: string[]): Promise<Load> =>
    closedLoop(oneOf(http, ids), { inFlight: readers, windowMs: readMs, warmUpMs: warmUpMs / 2, signal });
  const steady = (ids: string[]): Promise<Load> =>
    fixedRate(oneOf(http, ids), { perSecond: readsPerSecond, forMs: readMs, signal });
  return {
    finished: await fast(targets.finished),
    finishedAtRate: await steady(targets.finished),
    running: await fast(targets.running),
    runningAtRate: await steady(targets.running),
  };
}

/** Reads them in turn. */
function oneOf(http: Http, ids: readonly string[]): () => Promise<unknown> {
  let turn = 0;
  return () => http.get(`/v1/jobs/${ids[turn++ % ids.length]}`);
}
