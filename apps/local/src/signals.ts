import { setTimeout as delay } from 'node:timers/promises';

/** Sends a signal; false when there is no such process (any more). A negative pid is a process group. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Object && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** Waits until `holds` answers true; false when it did not within `timeoutMs`. */
export async function until(
  holds: () => Promise<boolean>,
  timeoutMs: number,
  everyMs = 25,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() >= deadline) return false;
    await delay(everyMs);
  }
  return true;
}
