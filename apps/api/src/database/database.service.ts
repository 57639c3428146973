import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import {
  type Database,
  type OpenDatabase,
  openDatabase,
  openTenantDatabases,
  type TenantDatabases,
} from '@perdure/store/database';
import { withDeadline } from '../deadline.ts';
import { Settings } from '../settings.ts';

/** No request waits longer for PostgreSQL than this. */
const budgetMs = 5_000;

/** Connections for what belongs to no single tenant. */
const acrossPoolSize = 4;

@Injectable()
export class DatabaseService implements OnApplicationShutdown {
  private readonly tenants: TenantDatabases;
  private readonly all: OpenDatabase;

  constructor({ config }: Settings) {
    const { url, poolSize } = config.database;
    const applicationName = 'perdure-api';
    this.tenants = openTenantDatabases(url, { poolSize, applicationName });
    this.all = openDatabase(url, { poolSize: acrossPoolSize, applicationName });
  }

  /**
   * The way to PostgreSQL, for the rows of one tenant: others are not there. Bounded in time: throws 'unavailable', and aborts `signal`,
   * when the time is over.
   */
  call<T>(
    tenantId: string,
    ask: (db: Database, signal: AbortSignal) => Promise<T>,
    ms = budgetMs,
  ): Promise<T> {
    return inTime((signal) => ask(this.tenants.of(tenantId), signal), ms);
  }

  /** The way to what belongs to no single tenant, such as the key that says whose a request is. Bounded as `call`. */
  across<T>(ask: (db: Database) => Promise<T>, ms = budgetMs): Promise<T> {
    return inTime(() => ask(this.all), ms);
  }

  /** Without a bound, for the migrations at boot. */
  async atBoot<T>(ask: (db: OpenDatabase) => Promise<T>): Promise<T> {
    return ask(this.all);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.tenants.close(), this.all.close()]);
  }
}

function inTime<T>(ask: (signal: AbortSignal) => Promise<T>, ms: number): Promise<T> {
  const giveUp = new AbortController();
  return withDeadline(ask(giveUp.signal), ms, () => {
    const late = new PerdureError('unavailable', 'The database does not answer in time');
    giveUp.abort(late);
    return late;
  });
}
