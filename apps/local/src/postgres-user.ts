import { readEnvironment } from '@perdure/config/environment';
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Child, startChild } from './child.ts';
import { binariesIn, type PostgresBinaries } from './postgres-binaries.ts';

const run = promisify(execFile);
const namespaceArguments = ['--user', '--map-user=1000', '--map-group=1000'];

export type PostgresUserMode = 'direct' | 'namespace' | 'other-user';

/** How PostgreSQL is run without being root, which it refuses to be: its programs, its data folder, and what goes before a command. */
export type PostgresUser = {
  binaries: PostgresBinaries;
  dataFolder: string;
  prefix: readonly string[];
  user?: { uid: number; gid: number };
};

/**
 * An ordinary user runs PostgreSQL directly. Root runs it in a user namespace, in which root's files belong to user 1000: nothing
 * has to be copied or given away. Where namespaces are forbidden, programs and data go to `shelter` under an unprivileged user.
 */
export async function choosePostgresUser(
  binaries: PostgresBinaries,
  dataFolder: string,
  options: { mode?: PostgresUserMode; shelter?: string } = {},
): Promise<PostgresUser> {
  const mode = options.mode ?? (await modeHere());
  if (mode === 'direct') return { binaries, dataFolder, prefix: [] };
  if (mode === 'namespace') return { binaries, dataFolder, prefix: ['unshare', ...namespaceArguments] };
  return inShelter(binaries, dataFolder, options.shelter ?? '/var/lib/perdure');
}

/** Starts one of PostgreSQL's programs as that user. */
export function startAs(
  { prefix, user }: PostgresUser,
  program: string,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<Child> {
  const [command = program, ...before] = [...prefix, program];
  return startChild(
    {
      name: 'postgres',
      command,
      args: [...before, ...args],
      env: { ...readEnvironment(), LC_ALL: 'C', TZ: 'UTC' },
      cwd: '/',
      // To PostgreSQL SIGINT means: end the sessions and stop now (fast); SIGTERM would wait for every client to leave.
      stopSignal: 'SIGINT',
      ...(user ? { user } : {}),
    },
    onLine,
  );
}

async function modeHere(): Promise<PostgresUserMode> {
  if (process.getuid?.() !== 0) return 'direct';
  return run('unshare', [...namespaceArguments, 'true']).then(
    () => 'namespace',
    () => 'other-user',
  );
}

async function inShelter(
  binaries: PostgresBinaries,
  dataFolder: string,
  shelter: string,
): Promise<PostgresUser> {
  const user = await unprivilegedUser();
  const version = basename(dirname(binaries.root));
  const programs = join(shelter, `postgresql-${version}-${fingerprint(binaries.root)}`);
  const whole = await stat(join(programs, '.complete')).catch(() => undefined);
  if (whole === undefined) {
    await cp(binaries.root, programs, { recursive: true, verbatimSymlinks: true, force: true });
    await mkdir(join(programs, '.complete'));
  }
  await chmod(shelter, 0o755);
  return {
    binaries: binariesIn(programs),
    dataFolder: join(shelter, `data-${fingerprint(dataFolder)}`),
    prefix: [],
    user,
  };
}

/** PostgreSQL wants a user with a name; `nobody` is on every system, `postgres` is better where it exists. */
async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const found = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (found === undefined) {
    throw new Error(
      'PostgreSQL does not run as root, and there is no user `postgres` or `nobody`. Start as an ordinary user, or set DATABASE_URL.',
    );
  }
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

function fingerprint(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12);
}
