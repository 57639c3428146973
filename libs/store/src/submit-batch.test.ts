import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from './database.ts';
import { getEvents, getJob } from './read.ts';
import { createJobs, type NewJob } from './submit.ts';
import { aNewJob, aStart, openFresh } from './test-support.ts';
import { inTransaction } from './transactions.ts';

let db: Database;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

const { tenantId } = aStart();
const aBatch = () => ({ caller: 'ada', key: randomUUID(), fingerprint: 'batch' });
const keyed = (batch: ReturnType<typeof aBatch>, jobs: NewJob[]) => ({
  tenantId,
  batch,
  jobs: jobs.map((job, index) => ({ ...job, idempotency: { ...batch, key: `${batch.key} ${index}` } })),
});
const keysOf = async ({ key }: { key: string }) =>
  (await db.kysely.selectFrom('idempotencyKeys').select('key').execute()).filter((one) =>
    one.key.startsWith(key),
  );

test('jobs are stored together, each with its event, and answered in their order', async () => {
  const jobs = Array.from({ length: 100 }, (_, i) => aNewJob({ parameters: { i } }));
  const answers = await createJobs(db, { tenantId, jobs });
  expect(answers.map((one) => one.job?.id)).toEqual(jobs.map(({ id }) => id));
  expect(answers.every(({ created }) => created)).toBe(true);
  for (const [index, { id }] of jobs.entries()) {
    expect(await getJob(db, tenantId, id)).toEqual(answers[index]?.job);
    expect(await getEvents(db, tenantId, id)).toMatchObject([{ seq: 1, type: 'created' }]);
  }
});

test('of two with the same id the first is stored', async () => {
  const id = randomUUID();
  const [first, second] = await createJobs(db, {
    tenantId,
    jobs: [aNewJob({ id, parameters: { first: true } }), aNewJob({ id, parameters: { first: false } })],
  });
  expect(first).toMatchObject({ created: true, job: { parameters: { first: true } } });
  expect(second).toMatchObject({ created: false, reason: 'id-taken', job: { parameters: { first: true } } });
});

test('two batches with the same ids in another order do not wait for each other for ever', async () => {
  for (let round = 0; round < 10; round++) {
    const jobs = Array.from({ length: 50 }, () => aNewJob());
    const [one, other] = await Promise.all([
      createJobs(db, { tenantId, jobs }),
      createJobs(db, { tenantId, jobs: [...jobs].reverse() }),
    ]);
    const made = [...one, ...other].filter(({ created }) => created);
    expect(made.map(({ job }) => job?.id).sort()).toEqual(jobs.map(({ id }) => id).sort());
  }
});

test('a transaction that it joins and that throws leaves neither jobs nor keys', async () => {
  const batch = aBatch();
  const creation = keyed(batch, [aNewJob(), aNewJob()]);
  const tooLate = new Error('too late');
  const joined = inTransaction(db, async (kysely) => {
    expect(await createJobs({ ...db, kysely }, creation)).toMatchObject([
      { created: true },
      { created: true },
    ]);
    throw tooLate;
  });
  await expect(joined).rejects.toBe(tooLate);
  for (const { id } of creation.jobs) expect(await getJob(db, tenantId, id)).toBeUndefined();
  expect(await keysOf(batch)).toEqual([]);
});

test('a batch of which no job could be made leaves its key free, a repeat that adds none does not', async () => {
  const taken = aNewJob();
  const batch = aBatch();
  await createJobs(db, { tenantId, jobs: [taken] });
  await createJobs(db, keyed(batch, [taken]));
  expect(await keysOf(batch)).toEqual([]);
  const creation = keyed(batch, [aNewJob(), taken]);
  await createJobs(db, creation);
  const kept = await keysOf(batch);
  expect(kept).toHaveLength(2);
  expect(await createJobs(db, creation)).toMatchObject([{ reason: 'repeat' }, { reason: 'id-taken' }]);
  expect(await keysOf(batch)).toEqual(kept);
  await expect(
    createJobs(db, { ...creation, batch: { ...batch, fingerprint: 'other' } }),
  ).rejects.toMatchObject({
    code: 'idempotency-key-reused',
  });
});
