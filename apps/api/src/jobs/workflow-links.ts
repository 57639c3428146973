import { Injectable } from '@nestjs/common';
import type { JobRecord } from '@perdure/store/read';
import { Settings } from '../settings.ts';
import { TemporalService } from '../temporal/temporal.service.ts';

/** How long the namespace keeps closed workflows changes seldom. */
const askAgainMs = 10 * 60_000;
const budgetMs = 2_000;
/** For so long the submit itself is still at it, or has started the workflow and not yet noted that. */
const startingMs = 5_000;

/** Where the Temporal UI shows the workflow of a job, as long as it does. No answer waits for Temporal. */
@Injectable()
export class WorkflowLinks {
  private readonly base: string | undefined;
  private keptMs = Infinity;
  private askedAt = -Infinity;

  constructor(
    { config }: Settings,
    private readonly temporal: TemporalService,
  ) {
    const { temporalUiUrl, temporal: server } = config;
    this.base =
      temporalUiUrl && `${temporalUiUrl.replace(/\/$/, '')}/namespaces/${server.namespace}/workflows/`;
  }

  /** Null where no UI is configured, before the workflow is started, and once Temporal keeps it no longer. */
  of({ id, status, createdAt, workflowStartedAt, endedAt, error }: JobRecord): string | null {
    if (this.base === undefined) return null;
    const unstarted = status === 'CREATED' && workflowStartedAt === null;
    if (unstarted && Date.parse(createdAt) + startingMs < Date.now()) return null;
    if (error?.code === 'workflow-gone') return null;
    if (endedAt !== null && Date.parse(endedAt) + this.kept() < Date.now()) return null;
    return `${this.base}${encodeURIComponent(id)}`;
  }

  /** As far as is known by now. */
  private kept(): number {
    if (Date.now() - this.askedAt > askAgainMs) {
      this.askedAt = Date.now();
      void this.temporal.retentionMs(budgetMs).then(
        (ms) => (this.keptMs = ms),
        () => undefined,
      );
    }
    return this.keptMs;
  }
}
