import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { jobError } from '@perdure/job/errors';
import { sql } from 'kysely';
import { waitFor } from '../../../tests/support/wait.ts';
import type { OpenDatabase } from './database.ts';
import { type Change, type Listener, listenForChanges } from './read.ts';
import { closeFromOutside, makeRecorder } from './record.ts';
import { appendLogs, reportProgress } from './report.ts';
import { createJob } from './submit.ts';
import { aNewJob, anEntry, openFresh } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;
let listener: Listener;
let changes: Change[] = [];
let begun = 0;

beforeAll(async () => {
  const fresh = await openFresh();
  ({ db, drop } = fresh);
  listener = listenForChanges(
    fresh.url,
    (change) => changes.push(change),
    () => begun++,
  );
  await waitFor(() => begun === 1, { what: 'the listener to begin' });
});
afterAll(async () => {
  await listener.close();
  await drop();
});

const heard = (id: string) => changes.filter(({ jobId }) => jobId === id).map(({ revision }) => revision);

test('everything that changes a job is told, with the revision it then has', async () => {
  const job = aNewJob();
  await createJob(db, job);
  const recorder = makeRecorder(db);
  await recorder.record(anEntry(job.id, 2, 5));
  await recorder.record(anEntry(job.id, 2, 5));
  await reportProgress(db, job.id, 1, { done: 1, total: null, unit: null, message: null });
  await appendLogs(db, job.id, 1, [{ at: '2026-01-01T00:00:00Z', stream: 'log', level: 'info', text: 'x' }]);
  const error = jobError('terminated', 'x');
  await closeFromOutside(
    db,
    job.id,
    { status: 'FAILED', error, event: { type: 'failed', actor: 'x', message: 'x', code: 'terminated' } },
    5,
  );
  await waitFor(() => heard(job.id).includes(7), { what: 'the last change' });
  expect(heard(job.id)).toEqual([1, 5, 6, 6, 7]);
});

test('what is rolled back is not told', async () => {
  const job = aNewJob();
  await createJob(db, job);
  await createJob(db, job, { caller: 'ada', key: 'k', fingerprint: 'f' });
  const last = aNewJob();
  await createJob(db, last);
  await waitFor(() => heard(last.id).length > 0, { what: 'a later change' });
  expect(heard(job.id)).toEqual([1]);
});

test('a lost connection is made again, and the caller is told to read', async () => {
  for (let time = 2; time <= 4; time++) {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'perdure-listen'`.execute(db.kysely);
    await waitFor(() => begun === time, { what: 'the listener to begin again' });
  }
  const job = aNewJob();
  await createJob(db, job);
  await waitFor(() => heard(job.id).length > 0, { what: 'a change' });
  expect(heard(job.id)).toEqual([1]);
  changes = [];
});

test('closing ends it, also while the database is away', async () => {
  const away = listenForChanges(
    'postgresql://nobody@127.0.0.1:1/nothing',
    () => {},
    () => {},
  );
  await away.close();
  await listener.close();
  await waitFor(
    async () => {
      const { rows } = await sql`select 1 from pg_stat_activity
        where datname = current_database() and application_name = 'perdure-listen'`.execute(db.kysely);
      return rows.length === 0;
    },
    { what: 'the connection to end' },
  );
});
