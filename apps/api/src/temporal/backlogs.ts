import { Injectable } from '@nestjs/common';
import { circuitBreaker, ConsecutiveBreaker, handleAll } from 'cockatiel';
import { Kept } from '../kept.ts';
import { TemporalService } from './temporal.service.ts';

/** How a claim queue stands, as Temporal itself describes it. `jobs` is an estimate. */
export type Queue = { jobs: number; oldestSeconds: number; pollers: number };

const budgetMs = 500;
const freshMs = 1_000;
const activityQueue = 2;

/** Describes claim queues: each at most once a second, whoever asks, and not at all while Temporal does not answer. */
@Injectable()
export class Backlogs {
  private readonly kept = new Kept<Queue | null>(freshMs);
  private readonly breaker = circuitBreaker(handleAll, {
    halfOpenAfter: 2_000,
    breaker: new ConsecutiveBreaker(3),
  });

  constructor(private readonly temporal: TemporalService) {}

  /** Null when Temporal does not answer in time. Never throws. */
  of(queue: string): Promise<Queue | null> {
    return this.kept.get(queue, () => this.breaker.execute(() => this.describe(queue)).catch(() => null));
  }

  private async describe(name: string): Promise<Queue> {
    const { pollers, stats } = await this.temporal.ask(budgetMs, ({ workflowService }, namespace) =>
      workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name },
        taskQueueType: activityQueue,
        reportStats: true,
      }),
    );
    return {
      jobs: Number(stats?.approximateBacklogCount ?? 0),
      oldestSeconds: Number(stats?.approximateBacklogAge?.seconds ?? 0),
      pollers: (pollers ?? []).length,
    };
  }
}
