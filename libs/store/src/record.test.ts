import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jobError } from '@perdure/job/errors';
import { defaultTenantId } from '@perdure/job/ids';
import fc from 'fast-check';
import type { OpenDatabase } from './database.ts';
import { getEvents, getFile, getJob } from './read.ts';
import { makeRecorder, type Recorder } from './record.ts';
import { reportFailure, reportProgress } from './report.ts';
import { createJob } from './submit.ts';
import { aNewJob, anEntry, anEvent, aStart, aState, openFresh, otherTenantId } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;
let recorder: Recorder;

beforeAll(async () => {
  ({ db, drop } = await openFresh());
  recorder = makeRecorder(db);
});
afterAll(() => drop());

async function submitted(): Promise<string> {
  const job = aNewJob();
  await createJob(db, job);
  return job.id;
}

const job = (id: string) => getJob(db, defaultTenantId, id);
const seqs = async (id: string) => (await getEvents(db, defaultTenantId, id)).map(({ seq }) => seq);

test('a state and its events are written together, and raise the revision by one an event', async () => {
  const id = await submitted();
  await recorder.record(anEntry(id, 2, 5));
  expect(await job(id)).toMatchObject({
    status: 'RUNNING',
    lastSeq: 5,
    revision: 5,
    attempt: 1,
    agentId: 'agent-1',
  });
  expect(await seqs(id)).toEqual([1, 2, 3, 4, 5]);
  const events = await getEvents(db, defaultTenantId, id);
  expect(events[3]).toEqual(anEvent(4, 'validationStarted', 'VALIDATING'));
});

test('a repeat changes nothing', async () => {
  const id = await submitted();
  const entry = anEntry(id, 2, 4);
  await recorder.record(entry);
  const before = await job(id);
  await Promise.all([recorder.record(entry), recorder.record(entry), makeRecorder(db).record(entry)]);
  expect(await job(id)).toEqual(before);
  expect(await seqs(id)).toEqual([1, 2, 3, 4]);
});

test.each([
  [
    'under way',
    [
      [1, 2],
      [3, 3],
      [4, 5],
      [6, 6],
    ],
    { status: 'UPLOADING', lastSeq: 6 },
  ],
  [
    'that ends',
    [
      [1, 2],
      [3, 3],
      [4, 5],
      [6, 6],
      [7, 7],
    ],
    { status: 'COMPLETED', lastSeq: 7 },
  ],
] as const)(
  'of a job %s, whatever the order and the repeats, the last state and every event remain',
  async (_name, parts, last) => {
    const disorder = fc.shuffledSubarray([...parts, ...parts, ...parts], { minLength: parts.length * 3 });
    await fc.assert(
      fc.asyncProperty(disorder, fc.boolean(), fc.boolean(), async (order, direct, together) => {
        const id = direct ? randomUUID() : await submitted();
        const start = aStart({ admitted: !direct });
        const entries = order.map(([from, to]) => anEntry(id, from, to, { start }));
        const recorders = [recorder, makeRecorder(db)];
        if (together) await Promise.all(entries.map(async (entry, at) => recorders[at % 2]?.record(entry)));
        else for (const entry of entries) await recorder.record(entry);
        expect(await job(id)).toMatchObject(last);
        expect(await seqs(id)).toEqual(Array.from({ length: last.lastSeq }, (_, index) => index + 1));
      }),
      { numRuns: 30 },
    );
  },
);

test('an end is never overwritten, and no event comes after it', async () => {
  const id = await submitted();
  await recorder.record({
    start: aStart(),
    state: aState(id, { status: 'CANCELED', seq: 3 }),
    events: [anEvent(2, 'queued', 'PENDING'), anEvent(3, 'canceled', 'CANCELED')],
  });
  const before = await job(id);
  await recorder.record(anEntry(id, 3, 7));
  expect(await job(id)).toEqual(before);
  expect((await getEvents(db, defaultTenantId, id)).map(({ type }) => type)).toEqual([
    'created',
    'queued',
    'canceled',
  ]);
});

describe('a job that was started directly', () => {
  const start = aStart({
    admitted: false,
    owner: 'service',
    name: 'direct',
    labels: { a: 'b' },
    pool: 'gpu',
  });

  test('gets its row, and its event 1, from the first record', async () => {
    const id = randomUUID();
    await recorder.record(anEntry(id, 1, 2, { start }));
    expect(await job(id)).toMatchObject({
      status: 'PENDING',
      revision: 2,
      lastSeq: 2,
      owner: 'service',
      name: 'direct',
      start,
    });
    expect((await job(id))?.createdAt).toBe('2026-11-22T05:00:00.000000Z');
    expect(await seqs(id)).toEqual([1, 2]);
    await recorder.record(anEntry(id, 3, 7, { start }));
    expect(await job(id)).toMatchObject({ status: 'COMPLETED', revision: 7 });
  });

  test('gets it from any record, when there is none', async () => {
    const id = randomUUID();
    await recorder.record(anEntry(id, 3, 5));
    expect(await job(id)).toMatchObject({ status: 'RUNNING', lastSeq: 5 });
  });

  test('never gets the row of another tenant', async () => {
    const id = await submitted();
    const before = await job(id);
    const foreign = anEntry(id, 1, 3, { start: aStart({ admitted: false, tenantId: otherTenantId }) });
    await expect(recorder.record(foreign)).rejects.toMatchObject({ code: 'id-taken' });
    expect(await job(id)).toEqual(before);
    expect(await getJob(db, otherTenantId, id)).toBeUndefined();
    expect(await getEvents(db, otherTenantId, id)).toEqual([]);
  });

  test('of a tenant that does not exist can still be recorded', async () => {
    const id = randomUUID();
    await recorder.record(anEntry(id, 1, 2, { start: aStart({ admitted: false, tenantId: otherTenantId }) }));
    expect(await getJob(db, otherTenantId, id)).toMatchObject({ status: 'PENDING' });
  });
});

test('the files of a completed job come with its end', async () => {
  const id = await submitted();
  const file = {
    fileId: randomUUID(),
    name: 'a\u0000.csv',
    mediaType: 'text/csv',
    size: 3_000_000_000,
    sha256: 'ab'.repeat(32),
  };
  const outcome = { output: { rows: 3 }, files: [file], resultFile: 'a.csv' };
  await recorder.record(anEntry(id, 2, 6));
  const done = anEntry(id, 7, 7);
  await recorder.record({ ...done, state: { ...done.state, outcome } });
  expect(await job(id)).toMatchObject({
    output: { rows: 3 },
    resultFile: 'a.csv',
    files: [{ fileId: file.fileId }],
  });
  expect(await getFile(db, defaultTenantId, file.fileId)).toMatchObject({
    owner: 'ada',
    name: 'a\uFFFD.csv',
    size: 3_000_000_000,
    sha256: file.sha256,
    jobId: id,
  });
  expect(await getFile(db, otherTenantId, file.fileId)).toBeUndefined();
});

test('what an attempt reported goes with it', async () => {
  const id = await submitted();
  await recorder.record(anEntry(id, 2, 5));
  const failure = {
    error: jobError('execution-failed', 'no'),
    nextAttemptAt: '2026-11-22T05:01:00.000Z',
    tryNumber: 1,
  };
  const report = async (attempt: number) => {
    await reportProgress(db, id, attempt, { done: 1, total: 2, unit: null, message: null });
    await reportFailure(db, id, attempt, failure);
  };
  const gone = { progress: null, lastFailure: null, nextAttemptAt: null, tryNumber: null };
  const running = (seq: number, attempt: number) => aState(id, { status: 'RUNNING', attempt, seq });

  await report(1);
  await recorder.record({
    start: aStart(),
    state: aState(id, { attempt: 1, seq: 6 }),
    events: [anEvent(6, 'agentLost', 'PENDING')],
  });
  expect(await job(id)).toMatchObject(gone);

  await recorder.record({
    start: aStart(),
    state: running(7, 2),
    events: [anEvent(7, 'claimed', 'RUNNING')],
  });
  await report(2);
  // Back in the queue and taken again, told in one.
  await recorder.record({
    start: aStart(),
    state: running(9, 3),
    events: [anEvent(8, 'givenBack', 'PENDING')],
  });
  expect(await job(id)).toMatchObject(gone);

  await report(3);
  await recorder.record({
    start: aStart(),
    state: aState(id, { status: 'FAILED', attempt: 3, seq: 10 }),
    events: [],
  });
  expect(await job(id)).toMatchObject({
    ...failure,
    lastFailure: failure.error,
    error: null,
    nextAttemptAt: null,
    progress: { done: 1 },
  });
});

test('recorders that write the same jobs in opposite orders do not block each other', async () => {
  const ids = await Promise.all(Array.from({ length: 60 }, submitted));
  const recorders = Array.from({ length: 4 }, () => makeRecorder(db));
  for (let seq = 2; seq <= 7; seq++) {
    await Promise.all(
      recorders.map((one, index) => {
        const order = index % 2 === 0 ? ids : ids.toReversed();
        return Promise.all(order.map((id) => one.record(anEntry(id, seq, seq))));
      }),
    );
  }
  const jobs = await Promise.all(ids.map(job));
  expect(new Set(jobs.map((one) => `${one?.status} ${one?.revision}`))).toEqual(new Set(['COMPLETED 7']));
});
