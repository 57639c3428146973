import { Injectable } from '@nestjs/common';
import { type ErrorCode, PerdureError } from '@perdure/job/errors';
import type { Outcome } from '@perdure/job/event';
import { type Bid, type Grant, holdActivityId, type Report } from '@perdure/job/holds';
import {
  ActivityCancelledError,
  ActivityPausedError,
  ActivityResetError,
  ApplicationFailure,
} from '@temporalio/client';
import { TemporalService } from './temporal.service.ts';

const budgetMs = 2_500;

/**
 * What HTTP agents do with jobs, in the words of Temporal. Every call names the attempt: what a former one sends is 'not-found', or
 * 'transition-refused' by the workflow.
 */
@Injectable()
export class Holds {
  constructor(private readonly temporal: TemporalService) {}

  /** The same `claimId` again is answered as the first time. Throws 'transition-refused' when somebody else has the job, 'not-found' when it is over. */
  claim(jobId: string, bid: Bid, claimId: string): Promise<Grant> {
    return this.temporal.ask(budgetMs, ({ workflow }) =>
      workflow
        .getHandle(jobId)
        .executeUpdate<Grant, [Bid]>('claim', { args: [bid], updateId: `${bid.agentId}/${claimId}` }),
    );
  }

  /** Durable once this returns. The record follows. */
  async report(jobId: string, report: Report): Promise<void> {
    await this.temporal.ask(budgetMs, ({ workflow }) => workflow.getHandle(jobId).signal('report', report));
  }

  /** Renews the lease. What the answer says of a cancel stands in the record as well, with more to it. */
  async beat(jobId: string, attempt: number): Promise<void> {
    await this.temporal.ask(budgetMs, ({ activity }) =>
      activity.heartbeat(idOf(jobId, attempt)).catch((answer: unknown) => {
        // An operator's reset of the activity: as of any other, the job is not to be done on with what was begun.
        if (answer instanceof ActivityResetError)
          return activity.fail(idOf(jobId, attempt), wasReset(attempt));
        const told = [ActivityCancelledError, ActivityPausedError];
        if (!told.some((kind) => answer instanceof kind)) throw answer;
      }),
    );
  }

  async complete(jobId: string, attempt: number, outcome: Outcome): Promise<void> {
    await this.temporal.ask(budgetMs, ({ activity }) => activity.complete(idOf(jobId, attempt), outcome));
  }

  async fail(jobId: string, attempt: number, code: ErrorCode, detail: string): Promise<void> {
    const failure = ApplicationFailure.nonRetryable(detail, code);
    await this.temporal.ask(budgetMs, ({ activity }) => activity.fail(idOf(jobId, attempt), failure));
  }
}

function wasReset(attempt: number): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `the activity ${holdActivityId(attempt)} was reset in Temporal`,
    'given-back',
  );
}

function idOf(workflowId: string, attempt: number) {
  return { workflowId, activityId: holdActivityId(attempt) };
}

export function isNotFound(error: unknown): boolean {
  return error instanceof PerdureError && error.code === 'not-found';
}
