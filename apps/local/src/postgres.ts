import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, howItEnded } from './child.ts';
import { noteProcess } from './ledger.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { makeDataFolder, passwordIn, userName } from './postgres-data.ts';
import { endStalePostgres } from './postgres-recovery.ts';
import { choosePostgresUser, type PostgresUser, type PostgresUserMode, startAs } from './postgres-user.ts';

export type PostgresOptions = {
  /** Holds the data and the password; made when it does not exist. */
  folder: string;
  port: number;
  /** False trades safety for speed: only for data that nobody will miss. Default true. */
  durable?: boolean;
  /** Where running processes are noted (see ledger.ts). */
  runFolder?: string;
  /** Gives up waiting for the server, and ends it. */
  signal?: AbortSignal;
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

/**
 * Starts PostgreSQL on 127.0.0.1 and waits until it accepts connections. The first start makes the data folder; a start after the
 * parent was killed first ends the server that lives on. Rejects with PostgreSQL's own words when it does not come up.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { folder, port, runFolder, durable = true, onLine = () => undefined } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const place = await choosePostgresUser(await findPostgresBinaries(), join(folder, 'data'), options);
  const password = await passwordIn(join(folder, 'password'));
  await endStalePostgres(place.dataFolder);
  await makeDataFolder(place, password, durable);
  const child = await serve(place, { port, durable, onLine, signal: options.signal });
  if (runFolder !== undefined) await noteProcess(runFolder, 'postgres', child.pid, 'SIGINT');
  return {
    child,
    dataFolder: place.dataFolder,
    url: (database) => `postgres://${userName}:${password}@127.0.0.1:${port}/${database}`,
    stop: async (graceMs = 5_000) => void (await child.stop(graceMs)),
  };
}

async function serve(
  place: PostgresUser,
  options: {
    port: number;
    durable: boolean;
    onLine: (line: string) => void;
    signal: AbortSignal | undefined;
  },
): Promise<Child> {
  const lines: string[] = [];
  let ready: () => void = () => undefined;
  const isReady = new Promise<void>((settle) => (ready = settle));
  const args = ['-D', place.dataFolder, ...settings(options)];
  const child = await startAs(place, place.binaries.postgres, args, (line) => {
    lines.push(line);
    if (lines.length > 20) lines.shift();
    if (line.includes('database system is ready to accept connections')) ready();
    options.onLine(line);
  });
  const giveUp = (): void => void child.stop(2_000);
  options.signal?.addEventListener('abort', giveUp);
  const ended = await Promise.race([isReady, child.exited]);
  options.signal?.removeEventListener('abort', giveUp);
  if (ended === undefined) return child;
  throw new Error(`PostgreSQL ended ${howItEnded(ended)} before it was ready:\n${lines.join('\n')}`);
}

function settings({ port, durable }: { port: number; durable: boolean }): string[] {
  const safety = durable ? 'on' : 'off';
  const values = {
    listen_addresses: '127.0.0.1',
    port,
    // No socket file: its folder is shared by all servers of a machine.
    unix_socket_directories: '',
    max_connections: 200,
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '',
    log_checkpoints: 'off',
    logging_collector: 'off',
    fsync: safety,
    synchronous_commit: safety,
    full_page_writes: safety,
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
