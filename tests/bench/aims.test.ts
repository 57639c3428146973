import { describe, expect, test } from '@jest/globals';
import { judge, judgeRecoveries, judgeWakes, ratiosOf } from './aims.ts';
import type { Cell } from './throughput.ts';

describe('an aim', () => {
  test('is met when the median reaches it', () => {
    expect(judge([0.8, 1.1, 1.2], 1, 'more').verdict).toBe('met');
    expect(judge([7, 9, 30], 10, 'less').verdict).toBe('met');
  });

  test('is open when some round reaches it, and the median does not', () => {
    expect(judge([0.8, 0.9, 1.2], 1, 'more').verdict).toBe('within the spread');
    expect(judge([9, 12, 13], 10, 'less').verdict).toBe('within the spread');
  });

  test('is missed only when no round reaches it', () => {
    expect(judge([0.8, 0.9, 0.95], 1, 'more').verdict).toBe('missed');
    expect(judge([11, 12, 13], 10, 'less').verdict).toBe('missed');
  });

  test('of a recovery counts from the end of the lease, for each lease by itself', () => {
    const recovery = (leaseMs: number, claimedMs: number) => ({ leaseMs, claimedMs, lostMs: claimedMs });
    const recoveries = [recovery(2_000, 1_500), recovery(15_000, 17_500), recovery(2_000, 3_500)];
    const judged = judgeRecoveries([{ claims: [], backlogs: [], recoveries, idle: [] }]);
    expect(judged.map(({ measured, verdict }) => [measured.median, verdict])).toEqual([
      [500, 'met'],
      [2_500, 'missed'],
    ]);
  });

  test('of long polls is the p99 of 100 waiters, and the last of 10,000', () => {
    const wakes = (waiters: number, p99: number, last: number) => ({
      waiters,
      answered: { p50: 1, p95: 1, p99 },
      last,
      bytesEach: 1,
    });
    const judged = judgeWakes([[wakes(1, 999, 999), wakes(100, 90, 999), wakes(10_000, 2_900, 3_100)]]);
    expect(judged.map(({ measured, verdict }) => [measured.median, verdict])).toEqual([
      [90, 'met'],
      [3_100, 'missed'],
    ]);
  });

  test('compares two kinds of jobs within each round only', () => {
    const cell = (kind: Cell['kind'], round: number, perSecond: number): Cell => ({
      kind,
      round,
      perSecond,
      inFlight: 1,
      count: 1,
      failures: 0,
      p50: 1,
      p95: 1,
      p99: 1,
      cpuMs: {},
      busy: { ours: 0, others: 0 },
    });
    const cells = [cell('a', 0, 10), cell('b', 0, 11), cell('a', 1, 100), cell('b', 1, 90), cell('b', 2, 1)];
    expect(ratiosOf(cells, 'b', 'a', ({ perSecond }) => perSecond)).toEqual([1.1, 0.9]);
  });
});
