import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import {
  type Database,
  type OpenDatabase,
  openDatabase,
  inTransaction,
  openTenantDatabases,
  type TenantDatabases,
} from '@perdure/store/database';
import { enterAudit } from '@perdure/store/admin';
import type { Target } from '../audit/act.ts';
import { entriesOf } from '../audit/entries.ts';
import { withDeadline } from '../deadline.ts';
import type { Principal } from '../http/caller.ts';
import { Settings } from '../settings.ts';

/** No request waits longer for PostgreSQL than this. */
const budgetMs = 5_000;

/** What a change was about; nothing where nothing was changed. */
type Changed<T> = (result: T) => Target | readonly Target[] | undefined | false;

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

  /**
   * The way to change something: as `call`, in one transaction with the entries of the audit log that say who did so. `beforeCommit` is told
   * the result when all is written; what throws until then, or comes too late to be answered, was not done.
   */
  change<T>(
    caller: Principal,
    work: (db: Database) => Promise<T>,
    changed: Changed<T>,
    beforeCommit?: (result: T) => void,
  ): Promise<T> {
    return this.call(caller.tenantId, (db, signal) =>
      entered(db, signal, caller, work, changed, beforeCommit),
    );
  }

  /** As `change`, of what belongs to no single tenant. The entries are the caller's tenant's. */
  changeAcross<T>(caller: Principal, work: (db: Database) => Promise<T>, changed: Changed<T>): Promise<T> {
    return inTime((signal) => entered(this.all, signal, caller, work, changed), budgetMs);
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

function entered<T>(
  db: Database,
  signal: AbortSignal,
  caller: Principal,
  work: (db: Database) => Promise<T>,
  changed: Changed<T>,
  beforeCommit?: (result: T) => void,
): Promise<T> {
  return inTransaction(db, async (kysely) => {
    const result = await work({ kysely });
    const targets = [changed(result) || []].flat();
    if (targets.length > 0) await enterAudit({ kysely }, entriesOf(caller, 'done', targets));
    // The caller was told that nothing is stored.
    signal.throwIfAborted();
    beforeCommit?.(result);
    return result;
  });
}

function inTime<T>(ask: (signal: AbortSignal) => Promise<T>, ms: number): Promise<T> {
  const giveUp = new AbortController();
  return withDeadline(ask(giveUp.signal), ms, () => {
    const late = new PerdureError('unavailable', 'The database does not answer in time');
    giveUp.abort(late);
    return late;
  });
}
