import getPort from 'get-port';
import { join } from 'node:path';
import { startPostgres } from '../../../apps/local/src/postgres.ts';
import { startTemporalServer } from '../../../apps/local/src/temporal-server.ts';
import { freshDatabase } from '../../support/database.ts';
import { freshNamespace, temporalAddress, temporalProgram } from '../../support/temporal.ts';

/** A server that a test takes away and brings back: on the same port, with the same data. */
export type Server = { kill(): Promise<void>; start(): Promise<void> };

export type Addresses = { databaseUrl: string; temporalAddress: string; temporalNamespace: string };

export type Servers = { addresses: Addresses; stop(): Promise<void> };

/** A database and a namespace of one's own on the servers that all tests share. */
export async function sharedServers(): Promise<Servers> {
  const [database, temporalNamespace] = [await freshDatabase(), await freshNamespace()];
  return {
    addresses: { databaseUrl: database.url, temporalAddress: temporalAddress(), temporalNamespace },
    stop: database.drop,
  };
}

export type OwnServers = Servers & { postgres: Server; temporal: Server };

/** A PostgreSQL and a Temporal server (on a file) that no other test uses. */
export async function ownServers(folder: string, runFolder: string): Promise<OwnServers> {
  const [postgresPort, temporalPort] = [await getPort(), await getPort()];
  const startDatabase = () =>
    startPostgres({ folder: join(folder, 'postgres'), port: postgresPort, runFolder });
  const startTemporal = () =>
    startTemporalServer({
      program: temporalProgram(),
      port: temporalPort,
      databaseFile: join(folder, 'temporal.db'),
      runFolder,
    });
  let [postgres, temporal] = await Promise.all([startDatabase(), startTemporal()]);
  return {
    addresses: {
      databaseUrl: postgres.url('postgres'),
      temporalAddress: temporal.address,
      temporalNamespace: 'default',
    },
    postgres: {
      async kill() {
        // PostgreSQL calls this an immediate stop: nothing is finished, nothing is written out.
        process.kill(postgres.child.pid, 'SIGQUIT');
        await postgres.child.exited;
      },
      start: async () => void (postgres = await startDatabase()),
    },
    temporal: {
      async kill() {
        process.kill(temporal.child.pid, 'SIGKILL');
        await temporal.child.exited;
      },
      start: async () => void (temporal = await startTemporal()),
    },
    stop: async () => void (await Promise.all([postgres.stop(), temporal.stop()])),
  };
}
