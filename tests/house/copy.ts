import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const folders = ['apps', 'libs', 'tests', 'examples'];
const settings = [
  '.dependency-cruiser.js',
  '.prettierignore',
  '.prettierrc',
  'eslint.config.js',
  'jest.config.js',
  'knip.json',
  'nest-cli.json',
  'package.json',
  'start.mjs',
  'test.mjs',
  'tsconfig.json',
];
const left = new Set(['node_modules', 'dist', '.perdure']);

export type Copy = { folder: string; remove(): Promise<void> };

/** A copy of the sources with `plants` (path → text) in it, to be checked; the packages are those of the original. */
export async function copyWith(plants: Record<string, string>): Promise<Copy> {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-house-'));
  for (const name of [...folders, ...settings]) {
    await cp(join(root, name), join(folder, name), {
      recursive: true,
      filter: (path) => !left.has(basename(path)),
    });
  }
  for (const workspace of ['.', ...(await workspaces())]) await linkPackages(workspace, folder);
  for (const [path, text] of Object.entries(plants)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Runs a program of a package in `folder`. A non-zero exit is an answer here. */
export function runIn(folder: string, script: string, args: string[]): Promise<string> {
  const program = join(root, 'node_modules', script);
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: folder, maxBuffer: 2 ** 26 }, (_, stdout, stderr) =>
      resolve(`${stdout}${stderr}`),
    );
  });
}

async function workspaces(): Promise<string[]> {
  const groups = ['apps', 'libs'].map(async (group) =>
    (await readdir(join(root, group))).map((name) => join(group, name)),
  );
  return (await Promise.all(groups)).flat();
}

/** Links each package, and each of the house itself to its copy: their links lead to `../../libs/…`. */
async function linkPackages(workspace: string, folder: string): Promise<void> {
  const [from, to] = [join(root, workspace, 'node_modules'), join(folder, workspace, 'node_modules')];
  const names = await readdir(from).catch(() => []);
  for (const name of names) {
    await mkdir(to, { recursive: true });
    if (name !== '@perdure') {
      await symlink(join(from, name), join(to, name));
      continue;
    }
    await mkdir(join(to, name));
    for (const own of await readdir(join(from, name))) {
      await symlink(await readlink(join(from, name, own)), join(to, name, own));
    }
  }
}
