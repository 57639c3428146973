import { randomBytes } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';

/** The form of every API key: `pk_` and 256 random bits. */
export function makeKey(): string {
  return `pk_${randomBytes(32).toString('base64url')}`;
}

/**
 * The admin key: the one that is given, else the one in the file, else a new one. It is kept in the file, which only its owner may
 * read.
 */
export async function adminKeyIn(file: string, given: string | undefined): Promise<string> {
  const kept = (await readFile(file, 'utf8').catch(() => '')).trim();
  const key = given ?? (kept === '' ? makeKey() : kept);
  if (key !== kept) await writeFile(file, `${key}\n`, { mode: 0o600 });
  // The mode above counts only for a file that is new.
  await chmod(file, 0o600);
  return key;
}
