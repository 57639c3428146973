import { readEnvironment } from '@perdure/config/environment';
import getPort from 'get-port';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { programCache } from '../../apps/local/src/cache.ts';
import type { Child } from '../../apps/local/src/child.ts';
import { endLeftovers, noteProcess, notedPid } from '../../apps/local/src/ledger.ts';
import { startPostgres } from '../../apps/local/src/postgres.ts';
import { findTemporalProgram } from '../../apps/local/src/temporal-program.ts';
import { startTemporalServer } from '../../apps/local/src/temporal-server.ts';

export type Servers = {
  folder: string;
  /** Processes that are noted here are ended by the next benchmark, should this one be killed. */
  runFolder: string;
  temporalAddress: string;
  temporal: Child;
  postgres: Child;
  /** Makes an empty database and answers its URL. */
  database(name: string): Promise<string>;
};

const prefix = 'perdure-bench-';

/** Makes the folder in which everything of this run lies, after it has removed what killed runs left. */
export async function makeFolder(): Promise<string> {
  for (const name of await readdir(tmpdir())) {
    const folder = join(tmpdir(), name);
    // A folder without a note of its owner is one that another run is making at this moment.
    const isLeft = name.startsWith(prefix) && (await readdir(folder)).includes('owner.json');
    if (isLeft && (await notedPid(folder, 'owner')) === undefined) await removeFolder(folder);
  }
  const folder = await mkdtemp(join(tmpdir(), prefix));
  await mkdir(join(folder, 'run'));
  await noteProcess(folder, 'owner', process.pid);
  return folder;
}

/** Ends what still runs in the folder, and removes it. */
export async function removeFolder(folder: string): Promise<void> {
  await endLeftovers(join(folder, 'run'), 5_000);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** PostgreSQL and Temporal as `npm start` runs them: durable, with the product's flags, on files. */
export async function startServers(folder: string, signal: AbortSignal): Promise<Servers> {
  const runFolder = join(folder, 'run');
  const program = await findTemporalProgram({
    path: readEnvironment()['PATH'] ?? '',
    cache: programCache(),
    onStep: console.error,
    signal,
  });
  const postgres = await startPostgres({
    folder: join(folder, 'postgres'),
    port: await getPort(),
    runFolder,
    signal,
  });
  const temporal = await startTemporalServer({
    program,
    port: await getPort(),
    databaseFile: join(folder, 'temporal.db'),
    runFolder,
    signal,
  });
  return {
    folder,
    runFolder,
    temporalAddress: temporal.address,
    temporal: temporal.child,
    postgres: postgres.child,
    async database(name) {
      await execute(postgres.url('postgres'), `create database ${name}`);
      return postgres.url(name);
    },
  };
}

export async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
