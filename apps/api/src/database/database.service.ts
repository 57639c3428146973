import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { type Database, openDatabase } from '@perdure/store/database';
import { withDeadline } from '../deadline.ts';
import { Settings } from '../settings.ts';

/** No request waits longer for PostgreSQL than this. */
const budgetMs = 5_000;

@Injectable()
export class DatabaseService implements OnApplicationShutdown {
  private readonly db: Database;

  constructor({ config }: Settings) {
    this.db = openDatabase(config.database.url, {
      poolSize: config.database.poolSize,
      applicationName: 'perdure-api',
    });
  }

  /** The one way to PostgreSQL: bounded in time. Throws 'unavailable', and aborts `signal`, when the time is over. */
  call<T>(ask: (db: Database, signal: AbortSignal) => Promise<T>, ms = budgetMs): Promise<T> {
    const giveUp = new AbortController();
    return withDeadline(ask(this.db, giveUp.signal), ms, () => {
      const late = new PerdureError('unavailable', 'The database does not answer in time');
      giveUp.abort(late);
      return late;
    });
  }

  /** Without a bound, for the migrations at boot. */
  async atBoot<T>(ask: (db: Database) => Promise<T>): Promise<T> {
    return ask(this.db);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.db.close();
  }
}
