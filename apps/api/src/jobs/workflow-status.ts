import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { JobState } from '@perdure/job/event';
import { circuitBreaker, ConsecutiveBreaker, handleWhen, isBrokenCircuitError } from 'cockatiel';
import { Metrics } from '../health/metrics.ts';
import { Settings } from '../settings.ts';
import { TemporalService } from '../temporal/temporal.service.ts';

/** What a workflow says of its job: its state; nothing in time; or Temporal does not know it. */
export type Said = { kind: 'state'; state: JobState; asOf: string } | { kind: 'silent' } | { kind: 'gone' };

/** After so many queries in a row without an answer nobody waits, until one that is let through has been answered. */
const failuresToOpen = 5;
const halfOpenAfterMs = 2_000;
/** A job that did not answer is not asked again for so long: others may answer well. */
const silenceKeptMs = 3_000;
const maxKept = 10_000;

type Kept = { said: Promise<Said>; until: number };

/** Asks workflows for their state: one query at a time for each job, its answer kept a moment for all who ask. */
@Injectable()
export class WorkflowStatus {
  private readonly kept = new Map<string, Kept>();
  private readonly breaker = circuitBreaker(
    handleWhen((error) => error instanceof PerdureError && error.code === 'unavailable'),
    { halfOpenAfter: halfOpenAfterMs, breaker: new ConsecutiveBreaker(failuresToOpen) },
  );

  constructor(
    private readonly temporal: TemporalService,
    private readonly settings: Settings,
    private readonly metrics: Metrics,
  ) {}

  /** Never throws, and never takes longer than the budget. */
  ask(jobId: string): Promise<Said> {
    const now = Date.now();
    const kept = this.kept.get(jobId);
    if (kept && kept.until > now) return kept.said;
    if (this.kept.size >= maxKept) this.forgetOld(now);
    const fresh: Kept = { said: this.query(jobId), until: Number.POSITIVE_INFINITY };
    this.kept.set(jobId, fresh);
    void fresh.said.then(({ kind }) => {
      const keepMs = kind === 'silent' ? silenceKeptMs : this.settings.config.status.freshnessMs;
      fresh.until = Date.now() + keepMs;
    });
    return fresh.said;
  }

  /** After a signal the answer of before is no longer true. */
  forget(jobId: string): void {
    this.kept.delete(jobId);
  }

  private async query(jobId: string): Promise<Said> {
    const asked = performance.now();
    try {
      const state = await this.breaker.execute(() =>
        this.temporal.status(jobId, this.settings.config.status.budgetMs),
      );
      const asOf = new Date().toISOString();
      this.metrics.observeQuery('answered', asked);
      return { kind: 'state', state, asOf };
    } catch (error) {
      const gone = error instanceof PerdureError && error.code === 'not-found';
      this.metrics.observeQuery(gone ? 'gone' : isBrokenCircuitError(error) ? 'spared' : 'silent', asked);
      return { kind: gone ? 'gone' : 'silent' };
    }
  }

  private forgetOld(now: number): void {
    for (const [jobId, { until }] of this.kept) if (until <= now) this.kept.delete(jobId);
    // Rather a query too many than a look at all of them for every new one.
    if (this.kept.size > maxKept / 2) this.kept.clear();
  }
}
