import { spreadOf } from '../statistics.ts';
import { figure, over, section, table, text } from '../table.ts';
import { agentKinds, type Backlog } from './backlogs.ts';
import type { Claims } from './claims.ts';
import type { FleetRound } from './round.ts';

export function fleetSections(rounds: readonly FleetRound[]): string[] {
  return [
    section('Fleet: from the start of a job to its claim, and to its end, ms', claims(rounds)),
    section('Fleet: echo jobs that waited for agents of one slot', backlogs(rounds)),
    section('Fleet: a job whose agent is killed, ms after the end of the lease', recoveries(rounds)),
    section('Fleet: an agent that has nothing to do', idle(rounds)),
  ];
}

function claims(rounds: readonly FleetRound[]): string {
  const counts = rounds[0]?.claims.map(({ agents }) => agents).sort((one, other) => one - other) ?? [];
  const ratios = (agents: number, value: (claims: Claims) => number): string =>
    text(
      spreadOf(
        rounds.map((round) => {
          const of = (wanted: number) => round.claims.filter((one) => one.agents === wanted).map(value)[0];
          return (of(agents) ?? Number.NaN) / (of(1) ?? Number.NaN);
        }),
      ),
    );
  return table(
    [
      'idle agents',
      'polling',
      'jobs',
      'claimed p50',
      'claimed p99',
      'p50 of that of 1',
      'p99 of that of 1',
      'ended p50',
      'ended p99',
      'slowest',
      'ours busy',
      'others busy',
    ],
    counts.map((agents) => {
      const some = rounds.flatMap((round) => round.claims.filter((one) => one.agents === agents));
      return [
        String(agents),
        over(some, ({ polling }) => polling),
        String(some.reduce((sum, { jobs }) => sum + jobs, 0)),
        over(some, ({ claimed }) => claimed.p50),
        over(some, ({ claimed }) => claimed.p99),
        ratios(agents, ({ claimed }) => claimed.p50),
        ratios(agents, ({ claimed }) => claimed.p99),
        over(some, ({ ended }) => ended.p50),
        over(some, ({ ended }) => ended.p99),
        over(some, ({ slowest }) => slowest),
        over(some, ({ busy }) => busy.ours),
        over(some, ({ busy }) => busy.others),
      ];
    }),
  );
}

/** Of these the CPU time is worth a column: the agents' own includes their start. */
const processes = ['temporal', 'postgres', 'api', 'orchestrator', 'client'];

function backlogs(rounds: readonly FleetRound[]): string {
  const all = rounds.flatMap((round) => round.backlogs);
  const counts = [...new Set(all.map(({ agents }) => agents))];
  const some = (by: Backlog['by'], agents: number) =>
    all.filter((one) => one.by === by && one.agents === agents);
  return table(
    ['agents', 'jobs/s', 'of native', 'failures', ...processes.map((name) => `${name} ms`), 'others busy'],
    counts.flatMap((agents) =>
      agentKinds.map((by) => [
        `${agents} ${by}`,
        over(some(by, agents), ({ perSecond }) => perSecond),
        text(spreadOf(rounds.map((round) => ofNative(round, by, agents)))),
        String(some(by, agents).reduce((sum, { failures }) => sum + failures, 0)),
        ...processes.map((name) =>
          figure(spreadOf(some(by, agents).map(({ cpuMs }) => cpuMs[name] ?? 0)).median),
        ),
        over(some(by, agents), ({ busy }) => busy.others),
      ]),
    ),
  );
}

function ofNative({ backlogs }: FleetRound, by: Backlog['by'], agents: number): number {
  const of = (wanted: string): number =>
    backlogs.find((one) => one.by === wanted && one.agents === agents)?.perSecond ?? Number.NaN;
  return of(by) / of('native');
}

function recoveries(rounds: readonly FleetRound[]): string {
  const byLease = Map.groupBy(
    rounds.flatMap((round) => round.recoveries),
    ({ leaseMs }) => leaseMs,
  );
  return table(
    ['lease', 'known as lost', 'claimed by another', 'times'],
    [...byLease].map(([leaseMs, some]) => [
      `${leaseMs / 1_000} s`,
      over(some, ({ lostMs }) => lostMs - leaseMs),
      over(some, ({ claimedMs }) => claimedMs - leaseMs),
      String(some.length),
    ]),
  );
}

function idle(rounds: readonly FleetRound[]): string {
  const byQueues = Map.groupBy(
    rounds.flatMap((round) => round.idle),
    ({ queues }) => queues,
  );
  return table(
    ['functions', 'queues polled', 'resident MiB'],
    [...byQueues].map(([queues, some]) => [
      String(some[0]?.functions),
      String(queues),
      over(some, ({ resident }) => resident / 1024 ** 2),
    ]),
  );
}
