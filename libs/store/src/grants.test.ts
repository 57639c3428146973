import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { sql } from 'kysely';
import { randomUUID } from 'node:crypto';
import { createUser, purgeEnded, putGrant, removeGrant } from './admin.ts';
import type { OpenDatabase } from './database.ts';
import { grantsAmong, listGrants, listJobs, type Subject } from './read.ts';
import { createJob, insertFile } from './submit.ts';
import { aNewJob, openFresh, otherTenantId } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;
let ada: string;
let bob: string;
beforeAll(async () => {
  ({ db, drop } = await openFresh());
  [ada, bob] = [await aUser(), await aUser()];
});
afterAll(() => drop());

async function aUser(): Promise<string> {
  const account = { tenantId: defaultTenantId, kind: 'service', email: null, displayName: 'a user' } as const;
  const user = await createUser(db, { ...account, role: 'member' });
  return user?.id ?? '';
}

async function aJob(owner = ada): Promise<Subject & { kind: 'job' }> {
  const { id } = aNewJob();
  await createJob(db, aNewJob({ id, owner }));
  return { kind: 'job', id };
}

const give = (subject: Subject, userId = bob, access: 'viewer' | 'editor' = 'viewer', by = ada) =>
  putGrant(db, defaultTenantId, subject, { userId, access, by, reason: null });
const given = async (subject: Subject) =>
  (await listGrants(db, defaultTenantId, subject)).map(({ userId, access }) => [userId, access]);
const listedFor = async (visibleTo: string) =>
  (
    await listJobs(db, defaultTenantId, { sort: 'createdAt', archived: false, limit: 100, visibleTo })
  ).jobs.map(({ id }) => id);
const facets = async ({ id }: Subject) =>
  (
    await sql<{
      facet: string;
    }>`select facet from job_facets where job_id = ${id} and facet like 'grant:%'`.execute(db.kysely)
  ).rows.length;

test('a job is in the list of whom it was given, once, until it is taken away', async () => {
  const job = await aJob();
  expect(await listedFor(bob)).toEqual([]);
  expect(await give(job)).toBe(true);
  expect(await give(job, bob, 'editor')).toBe(true);
  expect(await given(job)).toEqual([[bob, 'editor']]);
  expect([await listedFor(bob), await listedFor(ada)]).toEqual([[job.id], [job.id]]);
  expect(await removeGrant(db, defaultTenantId, job, bob)).toBe(true);
  expect(await removeGrant(db, defaultTenantId, job, bob)).toBe(false);
  expect([await given(job), await listedFor(bob), await facets(job)]).toEqual([[], [], 0]);
});

test('what is the same stays as it was', async () => {
  const job = await aJob();
  await give(job);
  const [before] = await listGrants(db, defaultTenantId, job);
  expect(await give(job, bob, 'viewer', bob)).toBe(false);
  expect(await listGrants(db, defaultTenantId, job)).toEqual([before]);
});

test('its owner is given nothing, nor is anybody anything of another tenant or of nothing', async () => {
  const job = await aJob();
  expect(await give(job, ada)).toBe(false);
  const order = { userId: bob, access: 'viewer', by: ada, reason: null } as const;
  expect(await putGrant(db, otherTenantId, job, order)).toBe(false);
  expect(await give({ kind: 'job', id: randomUUID() })).toBe(false);
  await expect(give(job, randomUUID())).rejects.toThrow(/foreign key/);
  expect([await given(job), await facets(job)]).toEqual([[], 0]);
});

test('they are found for some jobs and files, and go with them', async () => {
  const [job, other] = [await aJob(), await aJob()];
  const id = randomUUID();
  const ofTenant = {
    tenantId: defaultTenantId,
    owner: ada,
    jobId: job.id,
    createdAt: new Date().toISOString(),
  };
  const bytes = { name: 'a', mediaType: 'text/plain', size: 1, sha256: 'a'.repeat(64) };
  await insertFile(db, { id, ...ofTenant, ...bytes });
  await give(job);
  await give({ kind: 'file', id }, bob, 'editor');
  const among = (jobIds: string[], fileIds: string[]) =>
    grantsAmong(db, defaultTenantId, bob, { jobIds, fileIds });
  expect(await among([other.id], [])).toEqual([]);
  expect(await among([job.id, other.id], [id])).toEqual([
    { jobId: job.id, fileId: null, access: 'viewer' },
    { jobId: null, fileId: id, access: 'editor' },
  ]);
  await sql`update jobs set status = 'COMPLETED', ended_at = now() - interval '100 days' where id = ${job.id}`.execute(
    db.kysely,
  );
  expect(await purgeEnded(db, { short: 7, standard: 90, long: 730 }, 100)).toBe(1);
  expect([await among([job.id], [id]), await facets(job)]).toEqual([[], 0]);
  expect(await listedFor(bob)).not.toContain(job.id);
});
