import { randomBytes } from 'node:crypto';
import { access, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { howItEnded } from './child.ts';
import { type PostgresUser, startAs } from './postgres-user.ts';

/** The one user of the server; it may do everything in it. */
export const userName = 'perdure';

/** The password in this file; the first time, a new one, which only the file's owner can read. */
export async function passwordIn(file: string): Promise<string> {
  const existing = await readFile(file, 'utf8').catch(() => '');
  if (existing !== '') return existing.trim();
  const password = randomBytes(24).toString('base64url');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/**
 * Makes the data folder unless there is one: beside its place, and moved there when it is whole, so that a start that was killed
 * leaves nothing half made. Rejects with initdb's own words.
 */
export async function makeDataFolder(place: PostgresUser, password: string, durable: boolean): Promise<void> {
  if (await exists(place.dataFolder)) return;
  const unfinished = `${place.dataFolder}.unfinished`;
  const passwordFile = `${unfinished}.password`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  const { user } = place;
  if (user) await Promise.all([unfinished, passwordFile].map((path) => chown(path, user.uid, user.gid)));
  const lines: string[] = [];
  const args = [`--pgdata=${unfinished}`, `--pwfile=${passwordFile}`, ...(durable ? [] : ['--no-sync'])];
  const initdb = await startAs(place, place.binaries.initdb, [...args, ...settings], (line) =>
    lines.push(line),
  );
  const exit = await initdb.exited;
  await rm(passwordFile, { force: true });
  if (exit.code !== 0) {
    const words = lines.slice(-10).join('\n');
    throw new Error(`PostgreSQL's data folder cannot be made (initdb ended ${howItEnded(exit)}):\n${words}`);
  }
  await rename(unfinished, place.dataFolder);
}

const settings = [
  `--username=${userName}`,
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  // The builtin provider sorts the same on every machine, whatever locales it has.
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C',
];

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
