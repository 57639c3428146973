import { reportProgress } from '@perdure/store/report';
import type { Database } from '@perdure/store/database';
import { waitFor } from '../support/wait.ts';
import type { Plan } from './arguments.ts';
import { type Http, openHttp } from './http.ts';
import { memoryOf } from './proc.ts';
import type { RunningApi } from './programs.ts';
import { startSleeping } from './reads.ts';
import { type Latency, latencyOf } from './statistics.ts';

/** From the change, before it is committed, to the whole answer, in ms; `last` to that of the last waiter. */
export type Wakes = {
  waiters: number;
  answered: Latency;
  last: number;
  /** What the API holds more for each of them, in bytes: the first time, as what is free afterwards is used again. */
  bytesEach: number;
};

/** More connections at once than this would wait in the queue of the socket. */
const connectedAtOnce = 250;

export async function waitRound(
  api: RunningApi,
  db: Database,
  plan: Plan,
  signal: AbortSignal,
): Promise<Wakes[]> {
  const http = openHttp(api.origin, api.key, Infinity);
  const jobs = await startSleeping(api.http);
  const [id = ''] = jobs.ids;
  let done = 0;
  const change = () => reportProgress(db, id, 1, { done: ++done, total: null, unit: null, message: null });
  try {
    const wakes: Wakes[] = [];
    for (const { waiters, times } of plan.waiters) {
      const measured: number[][] = [];
      let grown = 0;
      for (let time = 0; time < times; time++) {
        signal.throwIfAborted();
        const before = await memoryOf(api.child.pid);
        const answers = await openPolls(http, id, waiters);
        const after = await memoryOf(api.child.pid);
        grown = Math.max(grown, after.resident - before.resident);
        const began = performance.now();
        await change();
        measured.push((await Promise.all(answers)).map((at) => at - began));
      }
      const last = Math.max(...measured.flat());
      wakes.push({ waiters, answered: latencyOf(measured.flat()), last, bytesEach: grown / waiters });
    }
    return wakes;
  } finally {
    await jobs.end();
    http.close();
  }
}

/** Resolves when all of them wait; each of what it answers when it has been answered, with the time. */
async function openPolls(http: Http, id: string, waiters: number): Promise<Promise<number>[]> {
  // Whoever names what it knows is told of a change, however soon that comes.
  const { body } = await http.get(`/v1/jobs/${id}`);
  const known = `"${(body as { revision: number }).revision}"`;
  const headers = { prefer: 'wait=60', 'if-none-match': known };
  const answers: Promise<number>[] = [];
  while (answers.length < waiters) {
    const some = Math.min(connectedAtOnce, waiters - answers.length);
    for (let one = 0; one < some; one++) {
      const answered = http.get(`/v1/jobs/${id}`, headers).then(() => performance.now());
      // Awaited later, together with all others.
      answered.catch(() => undefined);
      answers.push(answered);
    }
    await waitFor(async () => (await waiting(http)) === answers.length, {
      timeoutMs: 30_000,
      everyMs: 20,
      what: `${answers.length} long polls to wait`,
    });
  }
  return answers;
}

async function waiting(http: Http): Promise<number> {
  const { body } = await http.get('/metrics');
  return Number(/^perdure_waiters (\d+)/m.exec(body as string)?.[1]);
}
