import type { AccessRound } from './access.ts';
import { comparisons, type Judged, ratiosOf } from './aims.ts';
import type { Files } from './files.ts';
import { fleetSections } from './fleet/report.ts';
import type { FleetRound } from './fleet/round.ts';
import type { HistoryCount } from './history.ts';
import { type Key, titles } from './kinds.ts';
import { type ListRound, views } from './lists.ts';
import type { Logs } from './logs.ts';
import type { Reads } from './reads.ts';
import type { Submits } from './submits.ts';
import { spreadOf } from './statistics.ts';
import type { Fan } from './streams.ts';
import { figure, over, section, table, text } from './table.ts';
import type { Cell } from './throughput.ts';
import type { Wakes } from './waiters.ts';

export type Memory = { resident: number; peak: number };

export type Results = {
  machine: Record<string, string | number>;
  cells: Cell[];
  histories: Partial<Record<Key, HistoryCount>>;
  submits: Submits[];
  files: Files[];
  reads: Reads[];
  access: AccessRound[];
  lists: ListRound[];
  wakes: Wakes[][];
  fans: Fan[][];
  logs: Logs[];
  fleet: FleetRound[];
  /** By process: as started, and after all loads. */
  memory: Record<string, { idle: Memory; loaded: Memory }>;
  verdicts: Judged[];
};

export function print(results: Results): string {
  return [
    ...Object.entries(titles)
      .filter(([kind]) => results.cells.some((cell) => cell.kind === kind))
      .map(([kind, title]) => `(${kind}) ${title}`),
    ...(results.cells.length === 0 ? [] : jobs(results)),
    ...(results.submits.length === 0
      ? []
      : [section('Submits: jobs accepted in a second', submits(results.submits))]),
    ...(results.files.length === 0 ? [] : [section('Files: MiB in a second', files(results.files))]),
    ...(results.reads.length === 0 ? [] : [section('Reading the status', reads(results.reads))]),
    ...(results.access.length === 0 ? [] : [section('Knowing who asks: requests/s', access(results.access))]),
    ...(results.lists.length === 0 ? [] : [section('Lists: ms for a page of 50', lists(results.lists))]),
    ...(results.wakes.length === 0
      ? []
      : [section('Long polls: from a change to the answer, ms', wakes(results.wakes.flat()))]),
    ...(results.fans.length === 0
      ? []
      : [section('Streams: from a change to the message, ms', fans(results.fans.flat()))]),
    ...(results.logs.length === 0 ? [] : [section('Logs: lines/s', logs(results.logs))]),
    ...(results.fleet.length === 0 ? [] : fleetSections(results.fleet)),
    section('Memory, MiB', memory(results.memory)),
    section(
      'Aims',
      results.verdicts
        .map(({ aim, measured, verdict }) => `${verdict.toUpperCase()}: ${aim}: ${text(measured)}`)
        .join('\n'),
    ),
  ].join('\n');
}

function jobs({ cells, histories }: Results): string[] {
  return [
    section('Jobs: median (least - most) of the rounds', throughput(cells)),
    section('CPU a job, ms, and processors busy, at the heaviest load', cpu(cells)),
    comparedCpu(cells),
    section('History of one job', counts(histories)),
  ];
}

function grouped(cells: readonly Cell[]): [string, Cell[]][] {
  return [...Map.groupBy(cells, ({ kind, inFlight }) => `(${kind}) ${inFlight} in flight`)].sort(
    ([, [one]], [, [other]]) =>
      (one?.inFlight ?? 0) - (other?.inFlight ?? 0) ||
      keys.indexOf(one?.kind ?? '') - keys.indexOf(other?.kind ?? ''),
  );
}

const keys: string[] = Object.keys(titles);

function throughput(cells: readonly Cell[]): string {
  return table(
    ['', 'jobs/s', 'p50 ms', 'p95 ms', 'p99 ms', 'failures'],
    grouped(cells).map(([name, some]) => [
      name,
      over(some, ({ perSecond }) => perSecond),
      over(some, ({ p50 }) => p50),
      over(some, ({ p95 }) => p95),
      over(some, ({ p99 }) => p99),
      String(some.reduce((sum, { failures }) => sum + failures, 0)),
    ]),
  );
}

function heaviest(cells: readonly Cell[]): Cell[] {
  const most = Math.max(...cells.map(({ inFlight }) => inFlight));
  return cells.filter(({ inFlight }) => inFlight === most);
}

function whole({ cpuMs }: Cell): number {
  return Object.values(cpuMs).reduce((sum, one) => sum + one, 0);
}

function cpu(cells: readonly Cell[]): string {
  const some = heaviest(cells);
  const names = Object.keys(some[0]?.cpuMs ?? {});
  return table(
    ['', ...names, 'all', 'ours busy', 'others busy'],
    grouped(some).map(([name, group]) => [
      name,
      ...names.map((process) => figure(spreadOf(group.map(({ cpuMs }) => cpuMs[process] ?? 0)).median)),
      figure(spreadOf(group.map(whole)).median),
      figure(spreadOf(group.map(({ busy }) => busy.ours)).median),
      over(group, ({ busy }) => busy.others),
    ]),
  );
}

/** Where processors are what bounds, this is what jobs/s come from; and it depends less than they do on what else runs on the machine. */
function comparedCpu(cells: readonly Cell[]): string {
  const lines = comparisons.flatMap(({ over, under }) => {
    const ratios = ratiosOf(heaviest(cells), over, under, whole);
    return ratios.length === 0 ? [] : [`(${over}) takes ${text(spreadOf(ratios))} of the CPU of (${under})`];
  });
  return `\n${lines.join('\n')}`;
}

function counts(histories: Results['histories']): string {
  return table(
    ['', 'events', 'billable actions', 'activities', 'workflow tasks', 'local activity batches', 'upserts'],
    Object.entries(histories).map(([kind, count]) => [
      `(${kind})`,
      ...[
        count.events,
        count.actions,
        count.activities,
        count.workflowTasks,
        count.localActivityBatches,
        count.upserts,
      ].map(String),
    ]),
  );
}

function submits(rounds: readonly Submits[]): string {
  const [{ jobs } = { jobs: 0 }] = rounds;
  return table(
    [`${jobs} jobs`, 'jobs/s', 'of single'],
    [
      ['single, 16 in flight', over(rounds, ({ single }) => single), '1'],
      ['one batch', over(rounds, ({ batch }) => batch), over(rounds, ({ single, batch }) => batch / single)],
    ],
  );
}

function files(rounds: readonly Files[]): string {
  const [{ size } = { size: 0 }] = rounds;
  return table(
    [`one file of ${size / 1024 ** 2} MiB`, 'Perdure', 'bare server', 'ratio'],
    [
      [
        'up',
        over(rounds, ({ up }) => up),
        over(rounds, ({ bareUp }) => bareUp),
        over(rounds, ({ up, bareUp }) => up / bareUp),
      ],
      [
        'up in pieces (tus)',
        over(rounds, ({ tus }) => tus),
        '',
        over(rounds, ({ tus, bareUp }) => tus / bareUp),
      ],
      [
        'down',
        over(rounds, ({ down }) => down),
        over(rounds, ({ bareDown }) => bareDown),
        over(rounds, ({ down, bareDown }) => down / bareDown),
      ],
    ],
  );
}

function reads(rounds: readonly Reads[]): string {
  const rows: [keyof Reads, string][] = [
    ['bare', 'the bare server, 16 readers'],
    ['finished', 'finished jobs, 16 readers'],
    ['unchanged', 'finished jobs, 304, 16 readers'],
    ['finishedAtRate', 'finished jobs, 500/s'],
    ['running', 'running jobs, 16 readers'],
    ['runningAtRate', 'running jobs, 500/s'],
  ];
  return table(
    ['', 'reads/s', 'p50 ms', 'p99 ms', 'failures'],
    rows.map(([key, title]) => [
      title,
      over(rounds, (round) => round[key].perSecond),
      over(rounds, (round) => round[key].p50),
      over(rounds, (round) => round[key].p99),
      String(rounds.reduce((sum, round) => sum + round[key].failures, 0)),
    ]),
  );
}

function lists(rounds: readonly ListRound[]): string {
  return table(
    ['', 'short list, p99', 'long list, p50', 'long list, p99'],
    views.map((view) => [
      view,
      over(rounds, (round) => round[view].small.p99),
      over(rounds, (round) => round[view].large.p50),
      over(rounds, (round) => round[view].large.p99),
    ]),
  );
}

function wakes(all: readonly Wakes[]): string {
  return table(
    ['waiters', 'p50', 'p99', 'the last', 'KiB of the API each'],
    [...Map.groupBy(all, ({ waiters }) => waiters)].map(([waiters, some]) => [
      String(waiters),
      over(some, ({ answered }) => answered.p50),
      over(some, ({ answered }) => answered.p99),
      over(some, ({ last }) => last),
      over(some, ({ bytesEach }) => bytesEach / 1024),
    ]),
  );
}

function fans(all: readonly Fan[]): string {
  return table(
    ['readers of one job', 'p50', 'p99', 'the last', 'messages/s', 'KiB of the API each'],
    [...Map.groupBy(all, ({ readers }) => readers)].map(([readers, some]) => [
      String(readers),
      over(some, ({ told }) => told.p50),
      over(some, ({ told }) => told.p99),
      over(some, ({ last }) => last),
      over(some, ({ perSecond }) => perSecond),
      over(some, ({ bytesEach }) => bytesEach / 1024),
    ]),
  );
}

function access(rounds: readonly AccessRound[]): string {
  return table(
    ['', 'as it is', 'asks nobody', 'ratio'],
    (['read', 'submit'] as const).map((kind) => [
      kind,
      over(rounds, (round) => round[kind].guarded),
      over(rounds, (round) => round[kind].open),
      over(rounds, (round) => round[kind].guarded / round[kind].open),
    ]),
  );
}

function logs(rounds: readonly Logs[]): string {
  return table(
    ['', 'lines/s', 'MB/s'],
    [
      ['kept, in batches of an agent', over(rounds, ({ appended }) => appended), ''],
      ['inserted into a bare table', over(rounds, ({ inserted }) => inserted), ''],
      ['read whole over HTTP', over(rounds, ({ read }) => read), over(rounds, (one) => one.readMegabytes)],
    ],
  );
}

function memory(processes: Results['memory']): string {
  const mib = (bytes: number): string => figure(bytes / 1024 ** 2);
  return table(
    ['', 'idle', 'after the load', 'peak'],
    Object.entries(processes).map(([name, { idle, loaded }]) => [
      name,
      mib(idle.resident),
      mib(loaded.resident),
      mib(loaded.peak),
    ]),
  );
}
