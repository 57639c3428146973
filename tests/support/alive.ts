import { readFile } from 'node:fs/promises';

/** Whether a process runs. One that has ended and that nobody has waited for does not. */
export async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status !== '' && !/^\d+ \(.*\) [ZX]/s.test(status);
}
