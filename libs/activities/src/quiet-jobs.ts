import type { Database } from '@perdure/store/database';
import { type JobRecord, jobsUnderWay, quietJobs } from '@perdure/store/read';
import type { Recorder } from '@perdure/store/record';
import { log } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { reconcile } from './reconcile.ts';

/** How much one round looks at. */
export type Bounds = {
  /** Quiet jobs that Temporal's list is asked about, … */
  listed: number;
  /** … so many in one question, … */
  atOnce: number;
  /** … and those that are described one by one although the list says that they run: it may be behind. */
  described: number;
};

export const defaultBounds: Bounds = { listed: 20_000, atOnce: 200, described: 200 };

/** Ids that may stand in a query as they are. Others are described. */
const plainId = /^[\w.-]+$/;

/** Does something with each job, some at once, and counts those of which it is true. */
type Each = (jobs: readonly JobRecord[], work: (job: JobRecord) => Promise<boolean>) => Promise<number>;

type Deps = { db: Database; recorder: Recorder; quietAfterMs: number };

/**
 * Holds quiet jobs against Temporal, and writes the truth where it differs. One question to Temporal's list is about many jobs; only what it
 * does not show as running is looked at closely. Where there are more jobs than a round has room for, the next goes on where it ended.
 */
export function openComparison({ db, recorder, quietAfterMs }: Deps, bounds = defaultBounds) {
  let listedTo = '';
  let describedTo = '';

  return async function compare(client: Client, each: Each): Promise<number> {
    const ids = await quietJobs(db, quietAfterMs, listedTo, bounds.listed);
    listedTo = ids.length < bounds.listed ? '' : (ids.at(-1) ?? '');
    const running = new Set<string>();
    for (let from = 0; from < ids.length; from += bounds.atOnce) {
      const some = ids.slice(from, from + bounds.atOnce);
      for (const id of await runningAmong(client, some)) running.add(id);
    }
    const missing = ids.filter((id) => !running.has(id));
    const inTurn = ids.filter((id) => id > describedTo && running.has(id)).slice(0, bounds.described);
    describedTo = inTurn.length < bounds.described ? '' : (inTurn.at(-1) ?? '');
    const looked = await jobsUnderWay(db, [...missing, ...inTurn]);
    return each(looked, (job) => reconcile(db, recorder, client, job));
  };
}

/** Those that Temporal lists as running. All of them when it cannot say: then those that are described in turn are what is left. */
async function runningAmong(client: Client, ids: readonly string[]): Promise<readonly string[]> {
  const names = ids.filter((id) => plainId.test(id)).map((id) => `'${id}'`);
  if (names.length === 0) return [];
  const query = `ExecutionStatus = 'Running' AND WorkflowId IN (${names.join(', ')})`;
  const running: string[] = [];
  try {
    for await (const { workflowId } of client.workflow.list({ query, pageSize: names.length }))
      running.push(workflowId);
    return running;
  } catch (failure) {
    log.warn('Temporal cannot list what runs', { failure: String(failure) });
    return ids;
  }
}
