import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identityOf } from './process-identity.ts';
import { sendSignal, until } from './signals.ts';

type Entry = { pid: number; identity: string; stopSignal: NodeJS.Signals };

/**
 * Notes on disk that this process runs and which signal ends it, so that a later start finds it when its parent was killed and
 * could not end it.
 */
export async function noteProcess(
  folder: string,
  name: string,
  pid: number,
  stopSignal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  const identity = await identityOf(pid);
  if (identity === undefined) return;
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, `${name}.json`),
    JSON.stringify({ pid, identity, stopSignal } satisfies Entry),
  );
}

export async function forgetProcess(folder: string, name: string): Promise<void> {
  await rm(join(folder, `${name}.json`), { force: true });
}

/** The pid noted under this name, if that very process still runs. */
export async function notedPid(folder: string, name: string): Promise<number | undefined> {
  const entry = await readEntry(folder, name);
  return entry !== undefined && (await runs(entry)) ? entry.pid : undefined;
}

/** Ends what an earlier parent left running; what does not end within `graceMs` is killed with its group. Answers the names. */
export async function endLeftovers(folder: string, graceMs: number): Promise<string[]> {
  const files: string[] = await readdir(folder).catch(() => []);
  const names = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));
  const ended = await Promise.all(
    names.map(async (name) => ((await endLeftover(folder, name, graceMs)) ? [name] : [])),
  );
  return ended.flat();
}

async function endLeftover(folder: string, name: string, graceMs: number): Promise<boolean> {
  const entry = await readEntry(folder, name);
  const running = entry !== undefined && (await runs(entry));
  if (running) {
    sendSignal(entry.pid, entry.stopSignal);
    const gone = async (): Promise<boolean> => !(await runs(entry));
    if (!(await until(gone, graceMs))) {
      sendSignal(-entry.pid, 'SIGKILL');
      await until(gone, 2_000);
    }
  }
  await forgetProcess(folder, name);
  return running;
}

async function runs({ pid, identity }: Entry): Promise<boolean> {
  return (await identityOf(pid)) === identity;
}

/** A note that was cut off while it was written says nothing. */
async function readEntry(folder: string, name: string): Promise<Entry | undefined> {
  try {
    const entry: unknown = JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'));
    return isEntry(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  if (!('pid' in value && 'identity' in value && 'stopSignal' in value)) return false;
  const { pid, identity, stopSignal } = value;
  return (
    typeof pid === 'number' &&
    pid > 1 &&
    typeof identity === 'string' &&
    /^SIG[A-Z]+$/.test(String(stopSignal))
  );
}
