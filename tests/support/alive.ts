import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** Whether a process runs. One that has ended and that nobody has waited for does not. */
export async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status !== '' && !/^\d+ \(.*\) [ZX]/s.test(status);
}

/** Waits until `condition` holds; throws when it does not in `withinMs`. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 15_000,
): Promise<void> {
  for (const end = Date.now() + withinMs; Date.now() < end; await pause(25)) if (await condition()) return;
  throw new Error(`did not happen within ${withinMs} ms: ${what}`);
}
