import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { jobError } from '@perdure/job/errors';
import { defaultTenantId } from '@perdure/job/ids';
import type { OpenDatabase } from './database.ts';
import { getEvents, getJob } from './read.ts';
import { closeFromOutside, makeRecorder, type OutsideEnd } from './record.ts';
import { createJob } from './submit.ts';
import { aNewJob, anEntry, openFresh } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

const end: OutsideEnd = {
  status: 'FAILED',
  error: jobError('terminated', 'by an operator'),
  event: { type: 'failed', actor: 'temporal', message: 'by an operator', code: 'terminated' },
};

async function running(): Promise<string> {
  const { id } = aNewJob();
  await createJob(db, aNewJob({ id }));
  await makeRecorder(db).record(anEntry(id, 2, 5));
  return id;
}

test('ends the job with the event after its last', async () => {
  const id = await running();
  expect(await closeFromOutside(db, id, end, 5)).toBe(true);
  const job = await getJob(db, defaultTenantId, id);
  expect(job).toMatchObject({ status: 'FAILED', error: end.error, lastSeq: 6, revision: 6 });
  const events = await getEvents(db, defaultTenantId, id);
  expect(events.at(-1)).toEqual({
    ...end.event,
    seq: 6,
    at: job?.endedAt,
    status: 'FAILED',
    attempt: 1,
    agentId: 'agent-1',
    data: null,
  });
});

test('does nothing when the workflow has recorded something meanwhile, or the job has ended', async () => {
  const id = await running();
  expect(await closeFromOutside(db, id, end, 4)).toBe(false);
  expect(await closeFromOutside(db, id, end, 5)).toBe(true);
  expect(await closeFromOutside(db, id, end, 6)).toBe(false);
  expect(await closeFromOutside(db, 'nothing', end, 1)).toBe(false);
  expect(await getEvents(db, defaultTenantId, id)).toHaveLength(6);
});

test('against a workflow that lives after all, one of the two ends it', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, running));
  const recorder = makeRecorder(db);
  await Promise.all(
    ids.flatMap<Promise<unknown>>((id) => [
      closeFromOutside(db, id, end, 5),
      recorder.record(anEntry(id, 6, 7)),
    ]),
  );
  for (const id of ids) {
    const job = await getJob(db, defaultTenantId, id);
    const events = await getEvents(db, defaultTenantId, id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ status: job?.status, seq: job?.lastSeq });
  }
});
