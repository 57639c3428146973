import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { canServe, type Offer } from '@perdure/job/queues';
import type { Assignment } from '@perdure/job/schemas';
import { type JobRecord, findPending } from '@perdure/store/read';
import { PinoLogger } from 'nestjs-pino';
import { demandOf } from '../agents/offers.ts';
import { DatabaseService } from '../database/database.service.ts';
import { reasonOf } from '../http/reason.ts';
import { Changes } from '../jobs/changes.ts';

/** An agent that waits for a job. Without an offer it takes none, and only waits. */
export type Waiter = {
  tenantId: string;
  offer: Offer | undefined;
  /** Undefined when somebody else had the job. */
  take(job: JobRecord): Promise<Assignment | undefined>;
};

type Waiting = Waiter & { settle(outcome: Assignment | undefined): void; fail(error: unknown): void };

/**
 * Offers each job that becomes PENDING to one waiting agent of this replica after another, who has waited longest first, until one has it.
 * So a job costs a few bids, however many agents wait.
 */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap {
  private readonly waiting = new Set<Waiting>();

  constructor(
    private readonly database: DatabaseService,
    private readonly changes: Changes,
    private readonly logger: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.changes.onPending(
      (jobId) =>
        void this.offer(jobId).catch((error: unknown) =>
          this.logger.warn(
            { jobId, reason: reasonOf(error) },
            'not offered to waiting agents; they will look',
          ),
        ),
    );
    // Whatever was missed is found by looking.
    this.changes.onGap(() => this.waiting.forEach(({ settle }) => settle(undefined)));
  }

  get waiters(): number {
    return this.waiting.size;
  }

  /** The server closes: nobody is to wait any more. */
  get closing(): boolean {
    return this.changes.closing;
  }

  /** Undefined when the time is over, or it is worth looking again. */
  wait(waiter: Waiter, ms: number, gone: AbortSignal): Promise<Assignment | undefined> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        gone.removeEventListener('abort', giveUp);
        this.waiting.delete(waiting);
      };
      const waiting: Waiting = {
        ...waiter,
        settle(outcome) {
          end();
          resolve(outcome);
        },
        fail(error) {
          end();
          reject(error);
        },
      };
      const giveUp = (): void => waiting.settle(undefined);
      const timer = setTimeout(giveUp, ms);
      gone.addEventListener('abort', giveUp);
      this.waiting.add(waiting);
      if (gone.aborted || this.closing) giveUp();
    });
  }

  private pending(jobId: string): Promise<JobRecord | undefined> {
    return this.database.across((db) => findPending(db, jobId));
  }

  private async offer(jobId: string): Promise<void> {
    if (this.waiting.size === 0) return;
    const job = await this.pending(jobId);
    if (job === undefined) return;
    for (const waiter of this.waiting) {
      const { tenantId, offer, take, settle, fail } = waiter;
      if (tenantId !== job.tenantId || offer === undefined || !canServe(offer, demandOf(job))) continue;
      // While it bids it waits for nothing else.
      this.waiting.delete(waiter);
      try {
        const taken = await take(job);
        settle(taken);
        if (taken !== undefined || (await this.pending(jobId)) === undefined) return;
      } catch (error) {
        fail(error);
        return;
      }
    }
  }
}
