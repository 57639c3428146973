import { type Key } from './kinds.ts';
import { closedLoop, type Load } from './load.ts';
import type { Plan } from './arguments.ts';
import { cpuTimes } from './proc.ts';

/** A kind of job under one load, in one round. */
export type Cell = Load & {
  kind: Key;
  inFlight: number;
  round: number;
  /** CPU time a job, in milliseconds, by process. */
  cpuMs: Record<string, number>;
  busy: Busy;
};

/** Processors that were busy on average: with ours, and with what else ran on this machine. */
export type Busy = { ours: number; others: number };

export type Watched = ReadonlyMap<string, number>;

/** Every kind under every load once; each round begins with another kind, so that none always comes after the same one. */
export async function throughputRound(
  round: number,
  kinds: ReadonlyMap<Key, () => Promise<string>>,
  watched: Watched,
  { inFlight, windowMs, warmUpMs }: Plan,
  signal: AbortSignal,
  onCell: (cell: Cell) => void,
): Promise<void> {
  const order = turned([...kinds], round);
  for (const under of inFlight) {
    for (const [kind, run] of order) {
      const meter = openMeter(watched);
      const load = await closedLoop(run, { inFlight: under, windowMs, warmUpMs, signal, around: meter.at });
      onCell({ ...load, kind, inFlight: under, round, ...meter.read(load.count) });
    }
  }
}

/** The same in another order: with another one at the beginning in each round. */
export function turned<T>(items: readonly T[], round: number): T[] {
  const turn = round % items.length;
  return [...items.slice(turn), ...items.slice(0, turn)];
}

/** Is to be asked twice, and tells what was used between. A process that is watched only since the first time began with nothing. */
export function openMeter(watched: Watched) {
  const samples: { at: number; times: Awaited<ReturnType<typeof cpuTimes>> }[] = [];
  return {
    async at(): Promise<void> {
      samples.push({ times: await cpuTimes([...watched.values()]), at: performance.now() });
    },
    read(jobs: number): Pick<Cell, 'cpuMs' | 'busy'> {
      const [before, after] = samples;
      if (before === undefined || after === undefined) throw new Error('the meter was not read twice');
      const used = (pid: number): number =>
        (after.times.byRoot.get(pid) ?? 0) - (before.times.byRoot.get(pid) ?? 0);
      const elapsedMs = after.at - before.at;
      const ours = [...watched.values()].reduce((sum, pid) => sum + used(pid), 0) / elapsedMs;
      const whole = (after.times.machineMs - before.times.machineMs) / elapsedMs;
      return {
        cpuMs: Object.fromEntries([...watched].map(([name, pid]) => [name, used(pid) / Math.max(1, jobs)])),
        busy: { ours, others: Math.max(0, whole - ours) },
      };
    },
  };
}
