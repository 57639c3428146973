import { Injectable } from '@nestjs/common';
import type { JobRecord } from '@perdure/store/read';
import { markStarted } from '@perdure/store/submit';
import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { PinoLogger } from 'nestjs-pino';
import pLimit from 'p-limit';
import { DatabaseService } from '../database/database.service.ts';
import { withDeadline } from '../deadline.ts';
import { reasonOf } from '../http/reason.ts';
import { TemporalService } from '../temporal/temporal.service.ts';

/** How long a submit waits for Temporal, and how long it goes on trying. The job is safe before: housekeeping starts the rest. */
const patienceMs = 1_500;
const startBudgetMs = 10_000;
const maxUnderWay = 1_000;
/** Of one batch, at once. */
const atOnce = 10;

/** Starts the workflows of jobs that are recorded. */
@Injectable()
export class Starts {
  /** While Temporal is away or slow, submits are not made to wait for it one by one. */
  private readonly patience = circuitBreaker(handleAll, {
    halfOpenAfter: 2_000,
    breaker: new ConsecutiveBreaker(3),
  });
  private underWay = 0;

  constructor(
    private readonly database: DatabaseService,
    private readonly temporal: TemporalService,
    private readonly logger: PinoLogger,
  ) {}

  /** Waits for the start as long as that is of use; the start itself goes on. */
  async start(job: JobRecord): Promise<void> {
    const started = this.attempt(job).then((done) => {
      if (done) this.note(job);
    });
    const late = (): Error => new Error('Temporal takes its time');
    await this.patience.execute(() => withDeadline(started, patienceMs, late)).catch(() => {});
  }

  /** Jobs of one tenant. Waits for none of them. When Temporal is away, what is not started yet is left to the housekeeping. */
  startAll(jobs: readonly JobRecord[]): void {
    const started: JobRecord[] = [];
    let away = false;
    const startOne = async (job: JobRecord): Promise<void> => {
      if (away) return;
      if (await this.attempt(job)) started.push(job);
      else away = true;
    };
    void pLimit(atOnce)
      .map(jobs, startOne)
      .then(() => this.note(...started));
  }

  /** False when it was not started, or is not known to be. Never throws. */
  private async attempt({ id, start }: JobRecord): Promise<boolean> {
    if (this.underWay >= maxUnderWay) return false;
    this.underWay++;
    try {
      await this.temporal.start(id, start, startBudgetMs);
      return true;
    } catch (error) {
      this.logger.warn({ jobId: id, reason: reasonOf(error) }, 'not started yet; housekeeping will do it');
      return false;
    } finally {
      this.underWay--;
    }
  }

  /** Worth no waiting: it only spares the housekeeping a second start, which would do nothing. */
  private note(...jobs: readonly JobRecord[]): void {
    const [first] = jobs;
    if (first === undefined) return;
    const ids = jobs.map(({ id }) => id);
    this.database.call(first.tenantId, (db) => markStarted(db, ...ids)).catch(() => {});
  }
}
