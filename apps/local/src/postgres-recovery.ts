import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { commandLineOf, identityOf } from './process-identity.ts';
import { sendSignal, until } from './signals.ts';

/**
 * PostgreSQL survives a kill -9 of its parent, and its lock file survives a kill -9 of PostgreSQL. Ends the server that still
 * serves this data folder (fast stop, as `pg_ctl stop -m fast` does), and removes the lock of one that is gone: PostgreSQL itself
 * refuses to start when the pid in it belongs to a stranger by now.
 */
export async function endStalePostgres(dataFolder: string): Promise<void> {
  const lock = join(dataFolder, 'postmaster.pid');
  const text = await readFile(lock, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const pid = Number.parseInt(text, 10);
  const servesThisFolder = async (): Promise<boolean> =>
    pid > 1 &&
    (await identityOf(pid)) !== undefined &&
    (await commandLineOf(pid)).includes(`-D ${dataFolder} `);
  if (await servesThisFolder()) {
    const gone = async (): Promise<boolean> => !(await servesThisFolder());
    sendSignal(pid, 'SIGINT');
    if (!(await until(gone, 10_000))) {
      // Immediate stop: its children end too, and the next start replays the journal.
      sendSignal(pid, 'SIGQUIT');
      if (!(await until(gone, 5_000)))
        throw new Error(
          `The PostgreSQL of an earlier start (pid ${pid}) does not end. End it, then start again.`,
        );
    }
  }
  await rm(lock, { force: true });
}
