import getPort from 'get-port';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programCache } from '../../apps/local/src/cache.ts';
import { endLeftovers, noteProcess, notedPid } from '../../apps/local/src/ledger.ts';
import { startPostgres } from '../../apps/local/src/postgres.ts';
import { findTemporalProgram } from '../../apps/local/src/temporal-program.ts';
import { startTemporalServer } from '../../apps/local/src/temporal-server.ts';

export type TestServers = {
  databaseUrl: string;
  temporalAddress: string;
  temporalProgram: string;
  /** Where programs that tests start keep their compiled code, for the next ones. */
  compileCache: string;
  stop(): Promise<void>;
};

const prefix = 'perdure-tests-';

/** Starts one PostgreSQL and one Temporal server, both for this run of the tests only, on free ports and in a folder of their own. */
export async function startTestServers(): Promise<TestServers> {
  await sweep();
  const { folder, runFolder, clean } = await placeForServers();
  try {
    const temporalProgram = await findTemporalProgram({
      path: process.env['PATH'] ?? '',
      cache: programCache(),
      onStep: console.log,
    });
    const [postgresPort, temporalPort] = [await getPort(), await getPort()];
    const [postgres, temporal] = await Promise.all([
      startPostgres({ folder: join(folder, 'postgres'), port: postgresPort, durable: false, runFolder }),
      startTemporalServer({ program: temporalProgram, port: temporalPort, runFolder }),
    ]);
    return {
      databaseUrl: postgres.url('postgres'),
      temporalAddress: temporal.address,
      temporalProgram,
      compileCache: join(folder, 'compiled'),
      async stop() {
        await Promise.all([postgres.stop(), temporal.stop()]);
        await clean();
      },
    };
  } catch (error) {
    await clean();
    throw error;
  }
}

/** A folder for real processes, which are noted in `runFolder`. `clean()` ends them; should this process be killed, a later run does. */
export async function placeForServers(): Promise<{
  folder: string;
  runFolder: string;
  clean(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  const runFolder = join(folder, 'run');
  await mkdir(runFolder);
  await noteProcess(folder, 'owner', process.pid);
  return {
    folder,
    runFolder,
    async clean() {
      await endLeftovers(runFolder, 5_000);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Ends and removes what earlier runs left that were killed before they could do so themselves. */
async function sweep(): Promise<void> {
  const folders = (await readdir(tmpdir()))
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(tmpdir(), name));
  for (const folder of folders) {
    const names: string[] = await readdir(folder).catch(() => []);
    // A folder without a note of its owner is one that another run is making at this moment.
    if (!names.includes('owner.json') || (await notedPid(folder, 'owner')) !== undefined) continue;
    await endLeftovers(join(folder, 'run'), 5_000);
    await rm(folder, { recursive: true, force: true });
  }
}
