import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { environment } from './environment.ts';
import { UsageError } from './exit.ts';

export type Profile = { url: string; token: string };
export type Profiles = { current: string; profiles: Record<string, Profile> };

const none: Profiles = { current: 'default', profiles: {} };
const fileOf = (): string => join(environment().configFolder, 'profiles.json');

/** Throws 'UsageError' where others than its owner may read the file: it holds keys. */
export async function readProfiles(): Promise<Profiles> {
  const file = fileOf();
  const mode = await stat(file).then(
    ({ mode }) => mode,
    () => undefined,
  );
  if (mode === undefined) return none;
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new UsageError(
      `Others may read ${file}, which holds API keys: chmod 600 it, and think of new keys`,
    );
  }
  try {
    const { current, profiles } = JSON.parse(await readFile(file, 'utf8')) as Profiles;
    if (typeof current === 'string' && typeof profiles === 'object') return { current, profiles };
  } catch {
    // Told below.
  }
  throw new UsageError(`${file} is not as this command writes it: correct or remove it`);
}

/** The file is never there with a wider mode, nor half written. */
export async function writeProfiles(profiles: Profiles): Promise<void> {
  const file = fileOf();
  await mkdir(environment().configFolder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  await rm(draft, { force: true });
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(profiles, null, 2)}\n`);
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
