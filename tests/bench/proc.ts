import { readdir, readFile } from 'node:fs/promises';

/** Linux counts CPU time in hundredths of a second (USER_HZ), on every platform that Node runs on. */
const ticksPerSecond = 100;

type Sample = { pid: number; parent: number; cpuMs: number };

/**
 * CPU time of processes in milliseconds, each with those of its descendants that are not watched themselves; and of the whole machine. Zeros where
 * there is no /proc.
 */
export async function cpuTimes(
  roots: readonly number[],
): Promise<{ byRoot: Map<number, number>; machineMs: number }> {
  const samples = await all();
  const children = Map.groupBy(
    samples.filter(({ pid }) => !roots.includes(pid)),
    ({ parent }) => parent,
  );
  const own = new Map(samples.map((sample) => [sample.pid, sample.cpuMs]));
  const total = (pid: number): number =>
    (own.get(pid) ?? 0) + (children.get(pid) ?? []).reduce((sum, child) => sum + total(child.pid), 0);
  return { byRoot: new Map(roots.map((pid) => [pid, total(pid)])), machineMs: await machine() };
}

/** Memory that a process and its descendants hold now, and the most that the process itself ever held, in bytes. */
export async function memoryOf(pid: number): Promise<{ resident: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const bytes = (field: string): number =>
    1024 * Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
  return { resident: bytes('VmRSS'), peak: bytes('VmHWM') };
}

async function all(): Promise<Sample[]> {
  const names = await readdir('/proc').catch(() => []);
  const samples = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map(one));
  return samples.filter((sample) => sample !== undefined);
}

/** The fields of proc_pid_stat(5); the second is a name in brackets that may hold anything. A process that ended counts to its parent (cutime, cstime). */
async function one(name: string): Promise<Sample | undefined> {
  const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [, parent, , , , , , , , , , user = 0, system = 0, ofEnded = 0, systemOfEnded = 0] = fields;
  if (parent === undefined) return undefined;
  return {
    pid: Number(name),
    parent,
    cpuMs: ((user + system + ofEnded + systemOfEnded) * 1_000) / ticksPerSecond,
  };
}

/** Busy time of all processors: everything but idle and waiting for disks. */
async function machine(): Promise<number> {
  const stat = await readFile('/proc/stat', 'utf8').catch(() => '');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (
    /^cpu +(.*)$/m.exec(stat)?.[1] ?? ''
  )
    .split(' ')
    .map(Number);
  return ((user + nice + system + irq + softirq + steal) * 1_000) / ticksPerSecond;
}
