import { glob, lstat, readdir, realpath, rm } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import type { ProducedFile } from '@perdure/functions';
import mime from 'mime';
import { maxFiles } from './result-files.ts';

/** Removes what an earlier try has left in the scratch folder, so that none of it passes for a result of this one. */
export async function removeLeftovers(scratch: string, inputs: readonly string[]): Promise<void> {
  for (const name of await readdir(scratch)) {
    const path = join(scratch, name);
    if (inputs.some((input) => input === path || input.startsWith(path + sep))) continue;
    await rm(path, { recursive: true, force: true });
  }
}

/** The files that a program has made and that the globs name. Links are not followed, wherever they lead. */
export async function findOutputs(
  globs: readonly string[],
  scratch: string,
  inputs: readonly string[],
): Promise<ProducedFile[]> {
  const home = await realpath(scratch);
  const known = new Set(await Promise.all(inputs.map((input) => realpath(input).catch(() => input))));
  const found: ProducedFile[] = [];
  for (const pattern of globs) {
    for await (const match of glob(pattern, { cwd: home })) {
      const path = join(home, match);
      if (known.has(path) || !(await isRegularFile(path))) continue;
      known.add(path);
      const name = basename(path);
      found.push({ name, mediaType: mime.getType(name) ?? 'application/octet-stream', path });
      // Too many; whoever checks them says so.
      if (found.length > maxFiles) return found;
    }
  }
  return found;
}

/** False where a link is on the way. */
async function isRegularFile(path: string): Promise<boolean> {
  try {
    return (await realpath(path)) === path && (await lstat(path)).isFile();
  } catch {
    return false;
  }
}
