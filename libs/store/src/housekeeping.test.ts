import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { OpenDatabase } from './database.ts';
import { createdWithoutWorkflow, jobsUnderWay, quietJobs } from './read.ts';
import { makeRecorder } from './record.ts';
import { reportProgress } from './report.ts';
import { createJob, markStarted } from './submit.ts';
import { aNewJob, anEntry, openFresh, otherTenantId } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

const minute = 60_000;
const age = (id: string) =>
  sql`update jobs set created_at = created_at - interval '1 hour', updated_at = updated_at - interval '1 hour'
    where id = ${id}`.execute(db.kysely);

test('finds what was accepted and never started, of every tenant, oldest first', async () => {
  for (const id of ['old', 'young', 'started', 'running']) await createJob(db, aNewJob({ id }));
  await createJob(db, aNewJob({ id: 'foreign', tenantId: otherTenantId }));
  for (const id of ['old', 'started', 'running', 'foreign']) await age(id);
  await markStarted(db, 'started');
  await makeRecorder(db).record(anEntry('running', 2, 3));
  const found = async (limit: number) =>
    (await createdWithoutWorkflow(db, minute, limit)).map(({ id }) => id);
  expect(await found(10)).toEqual(['old', 'foreign']);
  expect(await found(1)).toEqual(['old']);
});

test('finds what is under way and quiet; a report is a sign of life', async () => {
  for (const id of ['silent', 'beating', 'over']) {
    await createJob(db, aNewJob({ id: `quiet-${id}` }));
    await makeRecorder(db).record(anEntry(`quiet-${id}`, 2, id === 'over' ? 7 : 5));
    await age(`quiet-${id}`);
  }
  // What waits to be started is no business of this one.
  for (const id of ['quiet-unstarted', 'quiet-started']) {
    await createJob(db, aNewJob({ id }));
    await age(id);
  }
  await markStarted(db, 'quiet-started');
  await reportProgress(db, 'quiet-beating', 1, { done: 1, total: null, unit: null, message: null });
  const found = await quietJobs(db, minute, 'quiet-', 100);
  expect(found.filter((id) => id.startsWith('quiet-'))).toEqual(['quiet-silent', 'quiet-started']);
  expect(await quietJobs(db, minute, 'quiet-', 1)).toEqual(['quiet-silent']);
  expect(await quietJobs(db, minute, 'quiet-silent', 1)).toEqual(['quiet-started']);
  const among = await jobsUnderWay(db, ['quiet-over', 'quiet-beating', 'nobody']);
  expect(among.map(({ id }) => id)).toEqual(['quiet-beating']);
});
