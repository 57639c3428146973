import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jobError } from '@perdure/job/errors';
import { defaultTenantId } from '@perdure/job/ids';
import type { Status } from '@perdure/job/status';
import type { OpenDatabase } from './database.ts';
import { getJob, getLogs } from './read.ts';
import { makeRecorder } from './record.ts';
import {
  appendLogs,
  maxLineLength,
  type NewLogLine,
  reportFailure,
  reportProgress,
  reportStopDelivered,
} from './report.ts';
import { anEntry, aStart, aState, openFresh } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;

beforeAll(async () => ({ db, drop } = await openFresh()));
afterAll(() => drop());

async function aJob(
  status: Status = 'RUNNING',
  overrides: Parameters<typeof aState>[1] = {},
): Promise<string> {
  const id = randomUUID();
  const state = aState(id, { status, attempt: 2, seq: 5, agentId: 'agent-1', ...overrides });
  await makeRecorder(db).record({ ...anEntry(id, 1, 5), start: aStart({ admitted: false }), state });
  return id;
}

const job = (id: string) => getJob(db, defaultTenantId, id);
const logs = async (id: string, options = {}) =>
  (await getLogs(db, defaultTenantId, id, { limit: 10_000, bytes: 1_000_000, ...options })).lines;
const line = (text: string, at = '2026-01-01T00:00:00.000000Z'): NewLogLine => ({
  at,
  stream: 'log',
  level: 'info',
  text,
});

describe('a report of an attempt that does not hold the job is refused', () => {
  const progress = { done: 1, total: null, unit: null, message: null };
  const failure = { error: jobError('execution-failed', 'no'), nextAttemptAt: null, tryNumber: 1 };
  const reports: [string, (id: string, attempt: number) => Promise<unknown>][] = [
    ['logs', (id, attempt) => appendLogs(db, id, attempt, [line('late')])],
    ['progress', (id, attempt) => reportProgress(db, id, attempt, progress)],
    ['a failure', (id, attempt) => reportFailure(db, id, attempt, failure)],
    ['a stop', (id, attempt) => reportStopDelivered(db, id, attempt)],
  ];

  test.each(reports)('%s', async (_name, report) => {
    const refused = { code: 'stale-attempt' };
    for (const status of ['PENDING', 'COMPLETED', 'FAILED', 'CANCELED'] as const) {
      await expect(report(await aJob(status), 2)).rejects.toMatchObject(refused);
    }
    const id = await aJob();
    const before = await job(id);
    await expect(report(id, 1)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('attempt 2 has taken over'),
    });
    await expect(report(id, 3)).rejects.toMatchObject(refused);
    await expect(report(randomUUID(), 2)).rejects.toMatchObject(refused);
    expect(await job(id)).toEqual(before);
    expect(await logs(id)).toEqual([]);
    for (const status of ['CLAIMED', 'VALIDATING', 'RUNNING', 'UPLOADING'] as const)
      await report(await aJob(status), 2);
  });
});

test('progress and failures of a try show, and raise the revision', async () => {
  const id = await aJob();
  const progress = { done: 3, total: 10, unit: 'rows', message: 'x\u0000' };
  const failure = {
    error: jobError('execution-failed', 'no'),
    nextAttemptAt: '2026-11-22T05:01:00.000Z',
    tryNumber: 4,
  };
  await reportProgress(db, id, 2, progress);
  await reportFailure(db, id, 2, failure);
  expect(await job(id)).toMatchObject({
    progress: { ...progress, message: 'x\uFFFD' },
    lastFailure: failure.error,
    nextAttemptAt: failure.nextAttemptAt,
    tryNumber: 4,
    revision: 7,
  });
});

test('an agent learns how to stop, and when it first learned of a cancel is kept', async () => {
  const stop = {
    mode: 'graceful',
    graceSeconds: 5,
    deadlineAt: '2026-11-22T05:00:10.000Z',
    reason: 'enough',
    by: 'ada',
  } as const;
  const reassigned = await aJob('RUNNING', { stop });
  expect(await reportStopDelivered(db, reassigned, 2)).toEqual(stop);
  expect((await job(reassigned))?.cancelDeliveredAt).toBeNull();
  expect(await reportStopDelivered(db, await aJob(), 2)).toBeNull();

  const canceled = await aJob('RUNNING', { stop, cancelRequestedAt: '2026-11-22T05:00:00.000Z' });
  expect(await reportStopDelivered(db, canceled, 2)).toEqual(stop);
  const first = (await job(canceled))?.cancelDeliveredAt;
  expect(first).toMatch(/Z$/);
  await reportStopDelivered(db, canceled, 2);
  expect((await job(canceled))?.cancelDeliveredAt).toBe(first);
});

describe('log lines', () => {
  test('have times that rise by microseconds, whatever the agent says', async () => {
    const id = await aJob();
    // An hour ago, in whole minutes.
    const past = (seconds: string) =>
      `${new Date(Date.now() - 3_600_000).toISOString().slice(0, 17)}${seconds}`;
    await appendLogs(db, id, 2, [
      line('a', past('00.000005Z')),
      line('b', past('00.000005Z')),
      line('c', past('00.000001Z')),
      line('d', past('01.5Z')),
    ]);
    await appendLogs(db, id, 2, [line('e', past('00Z')), line('f', past('02Z'))]);
    expect((await logs(id)).map(({ at, text }) => [text, at.slice(17)])).toEqual([
      ['a', '00.000005Z'],
      ['b', '00.000006Z'],
      ['c', '00.000007Z'],
      ['d', '01.500000Z'],
      ['e', '01.500001Z'],
      ['f', '02.000000Z'],
    ]);
  });

  test('from before the job, or very old, are put to where there is room for them', async () => {
    const id = await aJob('RUNNING', { createdAt: new Date(Date.now() - 60_000).toISOString() });
    const old = await aJob('RUNNING', { createdAt: '2020-01-01T00:00:00.000Z' });
    for (const one of [id, old]) await appendLogs(db, one, 2, [line('a', '1970-01-01T00:00:00Z')]);
    const ageOf = async (one: string) => Date.now() - Date.parse((await logs(one))[0]?.at ?? '');
    expect(Math.round((await ageOf(id)) / 60_000)).toBe(1);
    expect(Math.round((await ageOf(old)) / 3_600_000)).toBe(24);
  });

  test('stay strictly rising, and complete, under many writers at once', async () => {
    const id = await aJob();
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let call = 0; call < 10; call++) {
        await appendLogs(
          db,
          id,
          2,
          Array.from({ length: 5 }, (_, n) => line(`${writer}/${call}/${n}`)),
        );
      }
    });
    await Promise.all(writers);
    const all = await logs(id);
    expect(all).toHaveLength(400);
    expect(all.every(({ at }, index) => index === 0 || at > (all[index - 1]?.at ?? ''))).toBe(true);
    for (let writer = 0; writer < 8; writer++) {
      const own = all.map(({ text }) => text).filter((text) => text.startsWith(`${writer}/`));
      expect(own).toEqual(Array.from({ length: 50 }, (_, n) => `${writer}/${Math.floor(n / 5)}/${n % 5}`));
    }
  });

  test('from the future are put to now, so that they do not drag later ones along', async () => {
    const id = await aJob();
    await appendLogs(db, id, 2, [line('a', '9999-01-01T00:00:00Z'), line('b', '9999-01-01T00:00:00Z')]);
    const [a, b] = await logs(id);
    expect(Date.parse(a?.at ?? '') - Date.now()).toBeLessThan(60_000);
    expect((b?.at ?? '') > (a?.at ?? '')).toBe(true);
  });

  test('are read on from the last one seen, by tenant', async () => {
    const id = await aJob();
    await appendLogs(
      db,
      id,
      2,
      ['a', 'b', 'c'].map((text) => line(text)),
    );
    const [first] = await logs(id, { limit: 1 });
    expect((await logs(id, { since: first?.at, limit: 1 })).map(({ text }) => text)).toEqual(['b']);
    expect((await logs(id, { since: first?.at })).map(({ text }) => text)).toEqual(['b', 'c']);
    expect(
      await getLogs(db, '00000000-0000-7000-8000-0000000000ff', id, { limit: 10, bytes: 1_000_000 }),
    ).toMatchObject({ lines: [] });
  });

  test('are cleaned and cut, and leave the revision alone', async () => {
    const id = await aJob();
    const before = await job(id);
    await appendLogs(db, id, 2, [line('a\u0000b\uD800'), line('x'.repeat(maxLineLength + 1))]);
    await appendLogs(db, id, 2, []);
    const [clean, cut] = await logs(id);
    expect(clean).toMatchObject({ text: 'a\uFFFDb\uFFFD', attempt: 2, stream: 'log', level: 'info' });
    expect(cut?.text).toHaveLength(maxLineLength);
    expect((await job(id))?.revision).toBe(before?.revision);
  });
});
