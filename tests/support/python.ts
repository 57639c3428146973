import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { programCache } from '../../apps/local/src/cache.ts';

const run = promisify(execFile);

/**
 * A virtual environment of Python with what a file `<name>-requirements.txt` pins, made at the first use on a machine and said in a line; answers its folder.
 * It is kept outside the checkout, under a name that changes with the pinned versions, and appears only when it is complete.
 */
export async function virtualEnvironment(requirements: string): Promise<string> {
  const name = basename(requirements, '-requirements.txt');
  const pins = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const folder = join(dirname(programCache()), `venv-${name}-${pins}`);
  if (await exists(folder)) return folder;
  console.log(`Installing ${name} for Python (only this once)`);
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(`${folder}.`);
  try {
    await run('python3', ['-m', 'venv', draft]).catch((cause: unknown) => {
      const remedy =
        'install Python 3.11 or newer with its module venv (Debian: apt-get install python3-venv)';
      throw new Error(`${name} cannot be installed: ${remedy}`, { cause });
    });
    const quietly = ['--quiet', '--disable-pip-version-check'];
    const install = ['-m', 'pip', 'install', ...quietly, '--requirement', requirements];
    await run(join(draft, 'bin', 'python'), install);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(folder))) throw error;
  }
  return folder;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
