import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import type { Database } from './database.ts';
import { findIdempotent, getEvents, getJob, getRevision } from './read.ts';
import { createJob } from './submit.ts';
import { aNewJob, openFresh, otherTenantId } from './test-support.ts';

let db: Database;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ db, drop } = await openFresh());
  await createJob(db, aNewJob({ id: 'foreign', tenantId: otherTenantId }));
});
afterAll(() => drop());

test('what another tenant has is not there', async () => {
  expect(await getJob(db, defaultTenantId, 'foreign')).toBeUndefined();
  expect(await getRevision(db, defaultTenantId, 'foreign')).toBeUndefined();
  expect(await getEvents(db, defaultTenantId, 'foreign')).toEqual([]);
});

test('the revision is had without the job', async () => {
  expect(await getRevision(db, otherTenantId, 'foreign')).toMatchObject({ revision: 1, status: 'CREATED' });
});

test('a key is found by tenant and caller', async () => {
  const job = aNewJob();
  const key = randomUUID();
  await createJob(db, job, { caller: 'ada', key, fingerprint: 'f' });
  expect(await findIdempotent(db, defaultTenantId, 'ada', key)).toEqual({ jobId: job.id, fingerprint: 'f' });
  expect(await findIdempotent(db, otherTenantId, 'ada', key)).toBeUndefined();
  expect(await findIdempotent(db, defaultTenantId, 'bob', key)).toBeUndefined();
});
