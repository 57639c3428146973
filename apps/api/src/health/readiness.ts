import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { pendingMigrations, ping } from '@perdure/store/database';
import { DatabaseService } from '../database/database.service.ts';
import { Kept } from '../kept.ts';
import { TemporalService } from '../temporal/temporal.service.ts';

const budgetMs = 1_500;

export type Checks = Record<
  'database' | 'migrations' | 'temporal' | 'worker' | 'serving',
  { ok: boolean; detail: string }
>;

/** Whether this replica should be sent requests. */
@Injectable()
export class Readiness implements BeforeApplicationShutdown {
  /** However often it is asked for, the servers behind are asked once a second. */
  private readonly kept = new Kept<Checks>(1_000);
  private closing = false;

  constructor(
    private readonly database: DatabaseService,
    private readonly temporal: TemporalService,
  ) {}

  async check(): Promise<Checks> {
    const checks = await this.kept.get('', () => this.look());
    const serving = this.closing
      ? { ok: false, detail: 'shutting down' }
      : { ok: true, detail: 'takes requests' };
    return { ...checks, serving };
  }

  beforeApplicationShutdown(): void {
    this.closing = true;
  }

  private async look(): Promise<Checks> {
    const [database, migrations, temporal, worker] = await Promise.all([
      tell('answers', 'does not answer', () =>
        this.database.across((db) => ping(db), budgetMs).then(() => true),
      ),
      tell('are all applied', 'are missing, or cannot be read', () =>
        this.database.across((db) => pendingMigrations(db), budgetMs).then(({ length }) => length === 0),
      ),
      tell('answers', 'does not answer', () => this.temporal.check(budgetMs).then(() => true)),
      tell('polls the task queue', 'none polls the task queue', () => this.temporal.hasWorker(budgetMs)),
    ]);
    return { database, migrations, temporal, worker, serving: { ok: true, detail: '' } };
  }
}

async function tell(
  good: string,
  bad: string,
  look: () => Promise<boolean>,
): Promise<{ ok: boolean; detail: string }> {
  const ok = await look().catch(() => false);
  return { ok, detail: ok ? good : bad };
}
