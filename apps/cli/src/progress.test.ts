import { expect, test } from '@jest/globals';
import type { Job } from '@perdure/client';
import { describe as tell, estimator, inWords } from './progress.ts';

const aJob = (some: Partial<Job>): Job =>
  ({
    status: 'RUNNING',
    stage: 'execute',
    attempt: 1,
    progress: null,
    waitingReason: null,
    lastFailure: null,
    cancelRequestedAt: null,
    endedAt: null,
    ...some,
  }) as Job;
const at = (done: number, total: number | null = 10) => ({ done, total, unit: 'rows', message: null });

test('the remaining time is that of the pace since the attempt was first seen', () => {
  let now = 0;
  const remaining = estimator(() => now);
  expect(remaining(aJob({ progress: at(2) }))).toBeUndefined();
  now = 4_000;
  expect(remaining(aJob({ progress: at(6) }))).toBeCloseTo(4);
  now = 5_000;
  expect(remaining(aJob({ progress: at(1), attempt: 2 }))).toBeUndefined();
  now = 7_000;
  expect(remaining(aJob({ progress: at(5), attempt: 2 }))).toBeCloseTo(2.5);
  expect(remaining(aJob({ progress: at(5, null) }))).toBeUndefined();
  expect(remaining(aJob({ status: 'UPLOADING', progress: at(10) }))).toBeUndefined();
});

test.each([
  [aJob({ progress: at(3) }), 61, 'RUNNING · execute · 3/10 rows · 1 min 1 s left'],
  [aJob({ progress: at(3, null), attempt: 2 }), undefined, 'RUNNING · execute · attempt 2 · 3 rows'],
  [
    aJob({ status: 'PENDING', stage: 'claim', waitingReason: { kind: 'no-agent-serves' } }),
    undefined,
    'PENDING · no agent serves',
  ],
  [aJob({ cancelRequestedAt: '2030-01-01T00:00:00Z' }), undefined, 'RUNNING · execute · cancel asked for'],
  [
    aJob({ progress: { ...at(1), message: '\u001b[2J\u0007row\nby row' } }),
    undefined,
    'RUNNING · execute · 1/10 rows · row by row',
  ],
])('a job is told in a line that leaves the terminal as it is', (job, seconds, line) => {
  expect(tell(job, seconds)).toBe(line);
});

test.each([
  [0.4, '0 s'],
  [59.6, '1 min 0 s'],
  [3_725, '1 h 2 min'],
])('%d seconds are told as %s', (seconds, words) => {
  expect(inWords(seconds)).toBe(words);
});
