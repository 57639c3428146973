import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseStart } from '@perdure/job/start';
import type { OpenDatabase } from '@perdure/store/database';
import { getEvents, getJobs } from '@perdure/store/read';
import { makeRecorder } from '@perdure/store/record';
import { createJobs, markStarted } from '@perdure/store/submit';
import { defaultTenantId } from '@perdure/job/ids';
import { startOptions } from '@perdure/workflows/start';
import { Client, Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { freshNamespace, temporalAddress } from '../../../tests/support/temporal.ts';
import { waitFor } from '../../../tests/support/wait.ts';
import { aNewJob, openFresh } from '../../store/src/test-support.ts';
import { openComparison } from './quiet-jobs.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;
let connection: Connection;
let client: Client;
let looked: string[] = [];

beforeAll(async () => {
  ({ db, drop } = await openFresh());
  connection = await Connection.connect({ address: temporalAddress() });
  client = new Client({ connection, namespace: await freshNamespace() });
});
afterAll(() => Promise.all([drop(), connection.close()]));

/** Jobs whose workflows wait for a worker that never comes; when this resolves Temporal lists them all. */
async function waitingJobs(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID()).sort();
  await createJobs(db, { tenantId: defaultTenantId, jobs: ids.map((id) => aNewJob({ id })) });
  await markStarted(db, ...ids);
  const start = parseStart({ function: 'echo' });
  if (!start.ok) throw new Error(start.message);
  for (const id of ids) await client.workflow.start('job', startOptions(id, start.value));
  await listed(count);
  return ids;
}

/** Waits until Temporal lists so many as running. */
async function listed(count: number): Promise<void> {
  const query = "ExecutionStatus = 'Running'";
  const right = async () => (await client.workflow.count(query)).count === count;
  await waitFor(right, { what: `${count} in the list`, everyMs: 100, timeoutMs: 30_000 });
}

function comparison(bounds: Parameters<typeof openComparison>[1]) {
  const compare = openComparison({ db, recorder: makeRecorder(db), quietAfterMs: 0 }, bounds);
  return () => {
    looked = [];
    return compare(client, async (jobs, work) => {
      looked = jobs.map(({ id }) => id).sort();
      const done = await Promise.all(jobs.map(work));
      return done.filter(Boolean).length;
    });
  };
}

test('one look finds what has ended among many that run, and describes few', async () => {
  const ids = await waitingJobs(60);
  const [terminated = '', deleted = ''] = [ids[17], ids[42]];
  await client.workflow.getHandle(terminated).terminate('by hand');
  await connection.workflowService.deleteWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: deleted },
  });
  const gone = () =>
    client.workflow
      .getHandle(deleted)
      .describe()
      .then(
        () => false,
        () => true,
      );
  await waitFor(gone, { what: 'the deletion', everyMs: 100, timeoutMs: 60_000 });
  await listed(58);

  const round = comparison({ listed: 1_000, atOnce: 25, described: 3 });
  expect(await round()).toBe(2);
  expect(looked).toEqual([...ids.slice(0, 3), terminated, deleted].sort());
  const ended = await getJobs(db, defaultTenantId, [terminated, deleted]);
  expect(ended.map(({ error }) => error?.code).sort()).toEqual(['terminated', 'workflow-gone']);
  expect((await getEvents(db, defaultTenantId, terminated)).at(-1)).toMatchObject({
    actor: client.options.identity,
    message: expect.stringContaining('by hand'),
  });

  // What the list calls running has its turn all the same.
  const running = ids.filter((id) => id !== terminated && id !== deleted);
  expect(await round()).toBe(0);
  expect(looked).toEqual(running.slice(3, 6));
});

test('where there are more than one round has room for, all have their turn', async () => {
  const running: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query: "ExecutionStatus = 'Running'" }))
    running.push(workflowId);
  const last = running.sort().at(-1) ?? '';
  await client.workflow.getHandle(last).terminate();
  await listed(running.length - 1);
  const round = comparison({ listed: 20, atOnce: 7, described: 1 });
  expect([await round(), await round(), await round()]).toEqual([0, 0, 1]);
  expect(await getJobs(db, defaultTenantId, [last])).toMatchObject([{ status: 'FAILED' }]);
});

test('a job whose id may not stand in a query is described', async () => {
  const id = "it's one";
  await createJobs(db, { tenantId: defaultTenantId, jobs: [aNewJob({ id })] });
  await markStarted(db, id);
  expect(await comparison({ listed: 1_000, atOnce: 200, described: 0 })()).toBe(1);
  expect(looked).toEqual([id]);
});
