import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { OpenDatabase } from './database.ts';
import { getJob } from './read.ts';
import { makeRecorder } from './record.ts';
import { maxReruns } from './reruns.ts';
import { createJob, createJobs } from './submit.ts';
import { aNewJob, anEntry, openFresh, otherTenantId } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

async function finished() {
  const job = aNewJob();
  await createJob(db, job);
  await makeRecorder(db).record(anEntry(job.id, 2, 7));
  return job;
}
const rerunsOf = async ({ id, tenantId }: { id: string; tenantId: string }) =>
  (await getJob(db, tenantId, id))?.reruns;

test('a job names the newest of its reruns, oldest first', async () => {
  const { id: jobId, tenantId } = await finished();
  const ids = [];
  for (let time = 0; time < maxReruns + 5; time++) {
    const rerun = aNewJob();
    ids.push(rerun.id);
    await createJobs(db, { tenantId, jobs: [rerun], original: { jobId } });
  }
  expect(await rerunsOf({ id: jobId, tenantId })).toEqual(ids.slice(-maxReruns));
});

test('where the link cannot be made, there is no rerun', async () => {
  const over = await finished();
  const running = aNewJob();
  await createJob(db, running);
  const { tenantId } = over;
  const attempts = [
    [{ tenantId, original: { jobId: running.id } }, 'transition-refused'],
    [{ tenantId, original: { jobId: 'nobody' } }, 'transition-refused'],
    [{ tenantId, original: { jobId: over.id, revision: 1 } }, 'precondition-failed'],
    [{ tenantId: otherTenantId, original: { jobId: over.id } }, 'transition-refused'],
  ] as const;
  for (const [creation, code] of attempts) {
    const rerun = aNewJob({ tenantId: creation.tenantId });
    await expect(createJobs(db, { ...creation, jobs: [rerun] })).rejects.toMatchObject({ code });
    expect(await getJob(db, creation.tenantId, rerun.id)).toBeUndefined();
  }
  expect(await rerunsOf(over)).toEqual([]);
});
