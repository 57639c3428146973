import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { OpenDatabase } from './database.ts';
import { getEvents, getJob } from './read.ts';
import { makeRecorder, Overtaken, type Recorder } from './record.ts';
import { createJob } from './submit.ts';
import { aNewJob, anEntry, anEvent, aState, openFresh } from './test-support.ts';
import { defaultTenantId } from '@perdure/job/ids';

let db: OpenDatabase;
let drop: () => Promise<void>;
let recorder: Recorder;

beforeAll(async () => {
  ({ db, drop } = await openFresh());
  recorder = makeRecorder(db);
});
afterAll(() => drop());

const run = (id: string, continuedFrom: string | null = null) => ({ run: { id, continuedFrom } });
const row = (id: string) => getJob(db, defaultTenantId, id);
const typesOf = async (id: string) => (await getEvents(db, defaultTenantId, id)).map(({ type }) => type);
const overtaken = (id: string, entry: ReturnType<typeof anEntry>) =>
  recorder.record({ ...entry, state: { ...entry.state, jobId: id } }).then(
    () => undefined,
    (failure: unknown) => failure instanceof Overtaken && failure.recorded,
  );
const afterReset = (id: string, seq: number) => ({
  ...anEntry(id, 2, 2, run('second')),
  state: aState(id, { seq, attempt: 1 }),
  events: [anEvent(seq, 'reset', 'PENDING')],
});

async function running(id: string): Promise<void> {
  await createJob(db, aNewJob({ id }));
  await recorder.record(anEntry(id, 2, 5, run('first')));
}

test('another run that begins anew is told how far the job is, and writes nothing', async () => {
  await running('told');
  const before = await row('told');
  for (const [from, to] of [
    [2, 2],
    [3, 5],
    [6, 6],
  ] as const) {
    expect(await overtaken('told', anEntry('told', from, to, run('second')))).toEqual({
      lastSeq: 5,
      attempt: 1,
      status: 'RUNNING',
    });
  }
  expect(await row('told')).toEqual(before);
});

test('a run that says it is a reset goes on, and the run of before is the stranger then', async () => {
  await running('goes-on');
  await recorder.record(afterReset('goes-on', 6));
  // A repeat changes nothing.
  await recorder.record(afterReset('goes-on', 6));
  expect(await row('goes-on')).toMatchObject({ status: 'PENDING', lastSeq: 6, revision: 6 });
  expect(await overtaken('goes-on', anEntry('goes-on', 6, 7, run('first')))).toMatchObject({ lastSeq: 6 });
  expect((await typesOf('goes-on')).at(-1)).toBe('reset');
});

test('a reset that was counted on from an older state is told the newer one', async () => {
  await running('late');
  expect(await overtaken('late', afterReset('late', 5))).toMatchObject({ lastSeq: 5 });
  expect(await overtaken('late', afterReset('late', 7))).toMatchObject({ lastSeq: 5 });
  expect(await row('late')).toMatchObject({ lastSeq: 5, status: 'RUNNING' });
});

test('a job that has ended is not reopened by another run', async () => {
  await running('over');
  await recorder.record(anEntry('over', 6, 7, run('first')));
  const before = await row('over');
  expect(await overtaken('over', anEntry('over', 2, 2, run('second')))).toMatchObject({
    lastSeq: 7,
    status: 'COMPLETED',
  });
  expect(await row('over')).toEqual(before);
});

test('a run that continues the one before is no reset', async () => {
  await running('continued');
  await recorder.record(anEntry('continued', 6, 7, run('second', 'first')));
  expect(await row('continued')).toMatchObject({ status: 'COMPLETED', lastSeq: 7 });
});

test('among entries written together only the one of another run is refused', async () => {
  await running('one');
  await running('two');
  const outcomes = await Promise.allSettled([
    recorder.record(anEntry('one', 6, 7, run('first'))),
    recorder.record(anEntry('two', 2, 2, run('second'))),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(await row('one')).toMatchObject({ status: 'COMPLETED' });
});
