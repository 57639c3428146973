import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { getEvents, getJob } from './read.ts';
import { createJob, markStarted } from './submit.ts';
import { aNewJob, aStart, openFresh, otherTenantId } from './test-support.ts';

let db: Database;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

const aKey = () => ({ caller: 'ada', key: randomUUID(), fingerprint: 'body' });

test('a new job is CREATED, with its event 1, and reads back as it was asked for', async () => {
  const start = aStart({
    name: 'first',
    labels: { team: 'blue' },
    pool: 'gpu',
    assignedAgentId: 'agent-7',
    tool: { name: 'matlab', version: '2026a' },
    operatingSystem: 'linux',
    priority: 1,
    limits: { runSeconds: 5 },
  });
  const job = aNewJob({ start });
  const made = await createJob(db, job);
  expect(made).toMatchObject({
    created: true,
    job: {
      id: job.id,
      status: 'CREATED',
      revision: 1,
      lastSeq: 1,
      attempt: 0,
      owner: 'ada',
      name: 'first',
      pool: 'gpu',
    },
  });
  expect(made.job).toMatchObject({
    start,
    assignedAgentId: 'agent-7',
    tool: start.tool,
    labels: start.labels,
  });
  expect(made.job?.createdAt).toMatch(/\.\d{6}Z$/);
  expect(await getJob(db, job.tenantId, job.id)).toEqual(made.job);
  expect(await getEvents(db, job.tenantId, job.id)).toMatchObject([
    { seq: 1, type: 'created', status: 'CREATED', actor: 'ada' },
  ]);
});

test('parameters too large to travel are kept whole, and the start stays small', async () => {
  const parameters = { text: 'x'.repeat(100_000) };
  const start = aStart({ parameters: {}, parametersSha256: 'a'.repeat(64) });
  const { job } = await createJob(db, aNewJob({ parameters, start }));
  expect(job?.parameters).toEqual(parameters);
  expect(job?.start).toEqual(start);
});

test('characters that PostgreSQL cannot store do not refuse the job', async () => {
  const { job } = await createJob(db, aNewJob({ owner: 'a\u0000da', parameters: { text: '\u0000\uD800' } }));
  expect(job).toMatchObject({ owner: 'a\uFFFDda', parameters: { text: '\uFFFD\uFFFD' } });
});

describe('an idempotency key', () => {
  test('makes one job of many requests at once', async () => {
    const key = aKey();
    const answers = await Promise.all(Array.from({ length: 20 }, () => createJob(db, aNewJob(), key)));
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(answers.map(({ job }) => job?.id)).size).toBe(1);
    expect(answers.filter((one) => !one.created && one.reason === 'repeat')).toHaveLength(19);
  });

  test('is refused with another body', async () => {
    const key = aKey();
    await createJob(db, aNewJob(), key);
    expect(await createJob(db, aNewJob(), { ...key, fingerprint: 'other' })).toEqual({
      created: false,
      reason: 'key-reused',
    });
  });

  test('belongs to its caller and tenant', async () => {
    const key = aKey();
    await createJob(db, aNewJob(), key);
    expect(await createJob(db, aNewJob(), { ...key, caller: 'bob' })).toMatchObject({ created: true });
    expect(await createJob(db, aNewJob({ tenantId: otherTenantId }), key)).toMatchObject({ created: true });
  });

  test('is waited for, but not for ever', async () => {
    const key = aKey();
    const gaveUp = new Error('the first request gave up');
    let second: Promise<unknown> = Promise.resolve();
    const first = db.kysely.transaction().execute(async (transaction) => {
      const row = { ...key, tenantId: aStart().tenantId, jobId: 'slow' };
      await transaction.insertInto('idempotencyKeys').values(row).execute();
      await expect(createJob(db, aNewJob(), key)).rejects.toMatchObject({ code: 'request-in-flight' });
      second = createJob(db, aNewJob(), key);
      throw gaveUp;
    });
    await expect(first).rejects.toBe(gaveUp);
    expect(await second).toMatchObject({ created: true });
  });
});

describe('an id that is taken', () => {
  test('shows the job to its own tenant only, and leaves no trace of the request', async () => {
    const job = aNewJob();
    await createJob(db, job);
    const key = aKey();
    expect(await createJob(db, job, key)).toMatchObject({
      created: false,
      reason: 'id-taken',
      job: { id: job.id },
    });
    const stranger = await createJob(db, aNewJob({ id: job.id, tenantId: otherTenantId }));
    expect(stranger).toEqual({ created: false, reason: 'id-taken', job: undefined });
    expect(await createJob(db, aNewJob(), key)).toMatchObject({ created: true });
    expect(await getEvents(db, job.tenantId, job.id)).toHaveLength(1);
  });

  test('is taken by one of many at once', async () => {
    const job = aNewJob();
    const answers = await Promise.all(Array.from({ length: 10 }, () => createJob(db, job)));
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
  });
});

test('markStarted keeps the first time', async () => {
  const job = aNewJob();
  await createJob(db, job);
  await markStarted(db, job.id);
  const first = await getJob(db, job.tenantId, job.id);
  await sql`select pg_sleep(0.01)`.execute(db.kysely);
  await markStarted(db, job.id);
  expect(first?.workflowStartedAt).toMatch(/Z$/);
  expect(await getJob(db, job.tenantId, job.id)).toEqual(first);
});
