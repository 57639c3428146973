/**
 * What /proc tells of process groups; elsewhere than on Linux it tells nothing. Read synchronously: it is memory, and 400 processes take
 * 5 ms so, against 50 ms through the thread pool.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** The processes of each group. */
export function membersOf(groups: ReadonlySet<number>): Map<number, string[]> {
  const members = new Map<number, string[]>();
  for (const pid of pids()) {
    const { group } = statusOf(pid);
    if (groups.has(group)) members.set(group, [...(members.get(group) ?? []), pid]);
  }
  return members;
}

/** MiB of memory of a process, resident or swapped out. */
export function memoryOf(pid: string): number {
  const kibibytes = textOf(`/proc/${pid}/status`).matchAll(/^Vm(?:RSS|Swap):\s+(\d+) kB$/gm);
  return [...kibibytes].reduce((sum, [, number]) => sum + Number(number), 0) / 1_024;
}

/** Where memory runs out, the kernel is to end functions rather than their agent. What a process starts from now on is marked with it. */
export function offerToKernel(pid: string): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  } catch {
    // Not Linux, not allowed, or gone already.
  }
}

/** False when all that is left of a group has ended, and only waits for its parent to take note. */
export function livesIn(group: number): boolean {
  const all = pids();
  return (
    all.length === 0 || all.map(statusOf).some((one) => one.group === group && !'ZX'.includes(one.state))
  );
}

function pids(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** proc_pid_stat(5): `pid (name) state ppid pgrp …`, and the name may contain anything. */
function statusOf(pid: string): { state: string; group: number } {
  const stat = textOf(`/proc/${pid}/stat`);
  const [state = '', , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 3);
  return { state, group: Number(group) };
}

/** Empty for a process that has just ended. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
