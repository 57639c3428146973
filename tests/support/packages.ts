import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../apps/local/src/folders.ts';

const run = promisify(execFile);
/** Without what `npm run` says to the programs that it starts: it would lead npm to this checkout. */
const env = { PATH: process.env['PATH'], HOME: homedir() };

/**
 * A project of its own into which npm has installed these workspaces, from the archives that would be published. It asks no
 * registry: what they need of others is there before, as this checkout has it, and npm finds that it fits.
 */
export async function installed(...workspaces: string[]): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'perdure-packages-'));
  await writeFile(join(project, 'package.json'), '{"private": true, "type": "module"}');
  for (const path of await dependenciesOf(workspaces)) {
    const target = join(project, path.slice(path.indexOf('/node_modules/', root.length - 1)));
    await rm(target, { recursive: true, force: true });
    await cp(path, target, { recursive: true });
  }
  const archives = join(project, 'archives');
  for (const workspace of workspaces) {
    const target = join(archives, basename(workspace));
    await mkdir(target, { recursive: true });
    await run(process.execPath, [join(root, 'package.mjs'), join(root, workspace), target]);
    await run('npm', ['pack', target, '--pack-destination', archives], { env });
  }
  const files = (await readdir(archives)).filter((name) => name.endsWith('.tgz'));
  const quietly = ['--offline', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...quietly, ...files.map((name) => join(archives, name))], {
    cwd: project,
    env,
  });
  return project;
}

/** The folders of all that these need; those of a workspace alone come last, for they win over what others need. */
async function dependenciesOf(workspaces: string[]): Promise<string[]> {
  const chosen = workspaces.flatMap((workspace) => ['-w', workspace]);
  const args = ['ls', '--all', '--omit=dev', '--parseable', ...chosen];
  const { stdout } = await run('npm', args, { cwd: root, env });
  const paths = stdout.split('\n').filter((path) => /\/node_modules\/(?!@perdure\/)/.test(path));
  const shared = (path: string): boolean => path.startsWith(join(root, 'node_modules/'));
  return [...paths.filter(shared), ...paths.filter((path) => !shared(path))];
}
