import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, howItEnded, startChild } from './child.ts';
import { noteProcess } from './ledger.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { endStalePostgres } from './postgres-recovery.ts';
import { choosePostgresUser, type PostgresUser, type PostgresUserMode } from './postgres-user.ts';

export type PostgresOptions = {
  /** Holds the data and the password; made when it does not exist. */
  folder: string;
  port: number;
  /** False trades safety for speed: only for data that nobody will miss. Default true. */
  durable?: boolean;
  /** Where running processes are noted (see ledger.ts). */
  runFolder?: string;
  onLine?: (line: string) => void;
  mode?: PostgresUserMode;
  shelter?: string;
};

export type Postgres = {
  readonly child: Child;
  readonly dataFolder: string;
  /** The connection string of a database on this server; the password is in it. */
  url(database: string): string;
  stop(graceMs?: number): Promise<void>;
};

const userName = 'perdure';

/**
 * Starts PostgreSQL on 127.0.0.1 and waits until it accepts connections. The first start makes the data folder; a start after the
 * parent was killed first ends the server that lives on. Rejects with PostgreSQL's own words when it does not come up.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const onLine = options.onLine ?? (() => undefined);
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const place = await choosePostgresUser(await findPostgresBinaries(), join(options.folder, 'data'), options);
  const password = await readOrMakePassword(join(options.folder, 'password'));
  await endStalePostgres(place.dataFolder);
  await makeDataFolder(place, password, onLine);
  const child = await serve(place, options, onLine);
  if (options.runFolder !== undefined) await noteProcess(options.runFolder, 'postgres', child.pid);
  return {
    child,
    dataFolder: place.dataFolder,
    url: (database) => `postgres://${userName}:${password}@127.0.0.1:${options.port}/${database}`,
    stop: async (graceMs = 5_000) => void (await child.stop(graceMs)),
  };
}

async function readOrMakePassword(file: string): Promise<string> {
  const existing = await readFile(file, 'utf8').catch(() => '');
  if (existing !== '') return existing.trim();
  const password = randomBytes(24).toString('base64url');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** Made beside its place and moved there when it is whole, so that a start that was killed leaves nothing half made. */
async function makeDataFolder(
  place: PostgresUser,
  password: string,
  onLine: (line: string) => void,
): Promise<void> {
  if (await exists(place.dataFolder)) return;
  const unfinished = `${place.dataFolder}.unfinished`;
  const passwordFile = `${unfinished}.password`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  const { user } = place;
  if (user) await Promise.all([unfinished, passwordFile].map((path) => chown(path, user.uid, user.gid)));
  const lines: string[] = [];
  const initdb = await run(
    place,
    place.binaries.initdb,
    initdbArguments(unfinished, passwordFile),
    (line) => {
      lines.push(line);
      onLine(line);
    },
  );
  const exit = await initdb.exited;
  await rm(passwordFile, { force: true });
  if (exit.code !== 0) {
    throw new Error(
      `PostgreSQL's data folder cannot be made (initdb ended ${howItEnded(exit)}):\n${lines.slice(-10).join('\n')}`,
    );
  }
  await rename(unfinished, place.dataFolder);
}

function initdbArguments(dataFolder: string, passwordFile: string): string[] {
  return [
    `--pgdata=${dataFolder}`,
    `--username=${userName}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The builtin provider sorts the same on every machine, whatever locales it has.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
  ];
}

async function serve(
  place: PostgresUser,
  options: PostgresOptions,
  onLine: (line: string) => void,
): Promise<Child> {
  const safety = options.durable === false ? 'off' : 'on';
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    // No socket file: its folder is shared by all servers of a machine.
    unix_socket_directories: '',
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '',
    logging_collector: 'off',
    fsync: safety,
    synchronous_commit: safety,
    full_page_writes: safety,
  };
  const args = [
    '-D',
    place.dataFolder,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  const lines: string[] = [];
  let ready: () => void = () => undefined;
  const isReady = new Promise<void>((settle) => (ready = settle));
  const child = await run(place, place.binaries.postgres, args, (line) => {
    lines.push(line);
    if (lines.length > 20) lines.shift();
    if (line.includes('database system is ready to accept connections')) ready();
    onLine(line);
  });
  const early = await Promise.race([isReady, child.exited]);
  if (early === undefined) return child;
  throw new Error(`PostgreSQL ended ${howItEnded(early)} before it was ready:\n${lines.join('\n')}`);
}

function run(
  place: PostgresUser,
  program: string,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<Child> {
  const [command = program, ...before] = [...place.prefix, program];
  return startChild(
    {
      name: 'postgres',
      command,
      args: [...before, ...args],
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      cwd: '/',
      // To PostgreSQL SIGINT means: end the sessions and stop now (fast); SIGTERM would wait for every client to leave.
      stopSignal: 'SIGINT',
      ...(place.user ? { user: place.user } : {}),
    },
    onLine,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
