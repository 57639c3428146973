import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import { sql } from 'kysely';
import { waitFor } from '../../../tests/support/wait.ts';
import type { OpenDatabase } from './database.ts';
import { getEvents, getJob } from './read.ts';
import { makeRecorder, type RecordEntry, type Recorder } from './record.ts';
import { createJob } from './submit.ts';
import { aNewJob, anEntry, anEvent, aStart, aState, openFresh } from './test-support.ts';

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

describe('an entry that PostgreSQL refuses', () => {
  const poisons: [string, (entry: RecordEntry) => RecordEntry][] = [
    [
      'a time that is none',
      ({ state, ...rest }) => ({ ...rest, state: { ...state, startedAt: 'tea time' } }),
    ],
    [
      'an attempt beyond an integer',
      ({ state, ...rest }) => ({ ...rest, state: { ...state, attempt: 2 ** 40 } }),
    ],
  ];

  test.each(poisons)('with %s fails alone', async (_name, poison) => {
    const ids = await Promise.all(Array.from({ length: 20 }, submitted));
    const outcomes = await Promise.allSettled(
      ids.map((id, at) => recorder.record(at === 7 ? poison(anEntry(id, 2, 3)) : anEntry(id, 2, 3))),
    );
    expect(outcomes.map(({ status }) => status).indexOf('rejected')).toBe(7);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(outcomes[7]).toMatchObject({ reason: { code: 'internal-error', cause: expect.anything() } });
    const statuses = await Promise.all(ids.map(async (id) => (await job(id))?.status));
    expect(statuses.filter((status) => status === 'CLAIMED')).toHaveLength(19);
  });

  test('as it is no JSON at all fails before it is sent', async () => {
    const entry = anEntry(randomUUID(), 1, 2, {
      start: aStart({ admitted: false, parameters: JSON.parse('{"a":1}') }),
    });
    Object.assign(entry.start.parameters, { self: entry.start.parameters });
    await expect(recorder.record(entry)).rejects.toMatchObject({ code: 'internal-error' });
  });
});

test('NUL bytes and lone surrogates do not keep a state from being recorded', async () => {
  const id = randomUUID();
  const start = aStart({ admitted: false, name: 'a\u0000', parameters: { 'k\u0000': '\uD800' } });
  const event = anEvent(2, 'failed', 'FAILED', { message: 'x\u0000y', data: { z: '\u0000' } });
  await recorder.record({
    start,
    state: aState(id, { status: 'FAILED' }),
    events: [anEvent(1, 'created', 'CREATED'), event],
  });
  expect(await job(id)).toMatchObject({ name: 'a\uFFFD', parameters: { 'k\uFFFD': '\uFFFD' } });
  expect((await getEvents(db, defaultTenantId, id))[1]).toMatchObject({
    message: 'x\uFFFDy',
    data: { z: '\uFFFD' },
  });
});

test('a server in trouble fails the call with its own error, and a later call succeeds', async () => {
  const id = await submitted();
  const entry = anEntry(id, 2, 3);
  await db.kysely.transaction().execute(async (blocker) => {
    await blocker.selectFrom('jobs').select('id').where('id', '=', id).forUpdate().execute();
    const call = recorder.record(entry);
    const failed = expect(call).rejects.toMatchObject({ code: '57P01' });
    await waitFor(
      async () => {
        const { rows } = await sql`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`.execute(blocker);
        return rows.length > 0;
      },
      { what: 'the recorder to wait for the row' },
    );
    await failed;
  });
  await waitFor(() => recorder.record(entry).then(() => true), { what: 'the record to be possible again' });
  expect(await job(id)).toMatchObject({ status: 'CLAIMED', revision: 3 });
});
