import type { AccessRound } from './access.ts';
import type { FleetRound } from './fleet/round.ts';
import type { Key } from './kinds.ts';
import type { Reads } from './reads.ts';
import { flatViews, type ListRound, views } from './lists.ts';
import type { Logs } from './logs.ts';
import { type Spread, spreadOf } from './statistics.ts';
import type { Cell } from './throughput.ts';
import type { Wakes } from './waiters.ts';

export type Verdict = 'met' | 'within the spread' | 'missed';
export type Judged = { aim: string; measured: Spread; verdict: Verdict };

/** How much slower a page of the long list may be and still count as flat; below a millisecond the clock and the loop of the client are what differs. */
const flatFactor = 1.25;
const flatMs = 1;

/** An aim is missed only when no round reached it; when some did, this run cannot tell. */
export function judge(
  values: readonly number[],
  aim: number,
  better: 'more' | 'less',
): { measured: Spread; verdict: Verdict } {
  const measured = spreadOf(values);
  const reached = (value: number): boolean => (better === 'more' ? value >= aim : value <= aim);
  const best = better === 'more' ? measured.most : measured.least;
  return {
    measured,
    verdict: reached(measured.median) ? 'met' : reached(best) ? 'within the spread' : 'missed',
  };
}

/** What is compared: jobs/s of `over` in those of `under`. */
export const comparisons: { over: Key; under: Key; aim: number }[] = [
  { over: 'b', under: 'a', aim: 1.05 },
  { over: 'b4', under: 'a', aim: 0.85 },
  { over: 'c', under: 'b', aim: 0.9 },
];

/** Ratios within a round: whatever else the machine did, it did to both. */
export function judgeThroughput(cells: readonly Cell[]): Judged[] {
  const loads = [...new Set(cells.map(({ inFlight }) => inFlight))];
  return comparisons.flatMap(({ over, under, aim }) =>
    loads.flatMap((inFlight) => {
      const some = cells.filter((cell) => cell.inFlight === inFlight);
      const ratios = ratiosOf(some, over, under, ({ perSecond }) => perSecond);
      if (ratios.length === 0) return [];
      return [
        { aim: `(${over}) >= ${aim} x (${under}), ${inFlight} in flight`, ...judge(ratios, aim, 'more') },
      ];
    }),
  );
}

/** One ratio for each round that has both kinds. */
export function ratiosOf(
  cells: readonly Cell[],
  over: Key,
  under: Key,
  value: (cell: Cell) => number,
): number[] {
  return cells
    .filter(({ kind }) => kind === over)
    .flatMap((cell) => {
      const other = cells.find(({ kind, round }) => kind === under && round === cell.round);
      return other === undefined ? [] : [value(cell) / value(other)];
    });
}

export function judgeReads(reads: readonly Reads[]): Judged[] {
  if (reads.length === 0) return [];
  const values = reads.map(({ finishedAtRate }) => finishedAtRate.p99);
  const ofBare = (key: 'finished' | 'unchanged') =>
    reads.map((one) => one[key].perSecond / one.bare.perSecond);
  return [
    { aim: 'GET of a finished job, p99 < 10 ms at 500/s', ...judge(values, 10, 'less') },
    { aim: 'GET of a finished job >= 0.6 x the bare server', ...judge(ofBare('finished'), 0.6, 'more') },
    { aim: 'GET answered 304 >= 0.7 x the bare server', ...judge(ofBare('unchanged'), 0.7, 'more') },
  ];
}

/** What it costs to know who asks, and to show nobody else's rows. */
export function judgeAccess(rounds: readonly AccessRound[]): Judged[] {
  if (rounds.length === 0) return [];
  return (['read', 'submit'] as const).map((kind) => ({
    aim: `a ${kind} >= 0.85 x that of an API that asks nobody who he is`,
    ...judge(
      rounds.map((round) => round[kind].guarded / round[kind].open),
      0.85,
      'more',
    ),
  }));
}

/** How long after the end of the lease another agent may take over. */
const recoveryMs = 2_000;

export function judgeRecoveries(rounds: readonly FleetRound[]): Judged[] {
  const recoveries = rounds.flatMap((round) => round.recoveries);
  return [...Map.groupBy(recoveries, ({ leaseMs }) => leaseMs)].map(([leaseMs, some]) => {
    const late = some.map(({ claimedMs }) => claimedMs - leaseMs);
    const aim = `a killed agent's job is claimed by another <= ${recoveryMs} ms after the lease of ${leaseMs / 1_000} s`;
    return { aim, ...judge(late, recoveryMs, 'less') };
  });
}

/** How soon after a change how many have their answer. */
const wakeAims = [
  { waiters: 100, of: 'p99', most: 100, value: ({ answered }: Wakes) => answered.p99 },
  { waiters: 10_000, of: 'the last', most: 3_000, value: ({ last }: Wakes) => last },
];

export function judgeWakes(rounds: readonly Wakes[][]): Judged[] {
  return wakeAims.flatMap(({ waiters, of, most, value }) => {
    const values = rounds
      .flat()
      .filter((one) => one.waiters === waiters)
      .map(value);
    const aim = `a change is answered to ${waiters} waiters, ${of} <= ${most} ms`;
    return values.length === 0 ? [] : [{ aim, ...judge(values, most, 'less') }];
  });
}

export function judgeLogs(rounds: readonly Logs[]): Judged[] {
  if (rounds.length === 0) return [];
  const ratios = rounds.map(({ appended, inserted }) => appended / inserted);
  return [{ aim: 'log lines are kept >= 0.5 x as fast as by a bare insert', ...judge(ratios, 0.5, 'more') }];
}

/** A page of the longest list, whatever is asked for. */
const pageMs = 25;

export function judgeLists(rounds: readonly ListRound[]): Judged[] {
  if (rounds.length === 0) return [];
  const slowest = rounds.map((round) => Math.max(...views.map((view) => round[view].large.p99)));
  const flat = flatViews.map((view) => {
    const ratios = rounds.map(({ [view]: { small, large } }) => {
      const ratio = large.p99 / small.p99;
      return large.p99 - small.p99 <= flatMs ? Math.min(flatFactor, ratio) : ratio;
    });
    return {
      aim: `list p99 (${view}) of the long list <= ${flatFactor} x that of the short one`,
      ...judge(ratios, flatFactor, 'less'),
    };
  });
  return [
    { aim: `the slowest view of the long list, p99 <= ${pageMs} ms`, ...judge(slowest, pageMs, 'less') },
    ...flat,
  ];
}
