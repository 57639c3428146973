import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { Holding, ReportRequest } from '@perdure/job/schemas';
import { stepsBetween } from '@perdure/job/transitions';
import type { AgentRecord, JobRecord } from '@perdure/store/read';
import { appendLogs, reportProgress, reportStopDelivered } from '@perdure/store/report';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { JobsService } from '../jobs/jobs.service.ts';
import { Holds, isNotFound } from '../temporal/holds.ts';
import { Holders, toHolding } from './holders.ts';

/** What the workflow makes of a step is recorded by then, if it runs. */
const echoMs = 1_000;

/** What an agent says while it holds a job, and what it is told. */
@Injectable()
export class ReportsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly jobs: JobsService,
    private readonly holders: Holders,
    private readonly holds: Holds,
  ) {}

  async report(caller: Principal, id: string, request: ReportRequest): Promise<Holding> {
    const agent = await this.holders.agent(caller);
    const { attempt, status, progress, logs = [] } = request;
    const job = await this.holders.job(agent, caller, id, attempt);
    await this.beat(id, attempt);
    // What was said belongs to the time before the step.
    const now = new Date().toISOString();
    const lines = logs.map(({ at = now, stream = 'log' as const, level = 'info' as const, text }) => ({
      at,
      stream,
      level,
      text,
    }));
    await this.database.call(caller.tenantId, (db) => appendLogs(db, id, attempt, lines));
    if (progress !== undefined) {
      const { done, total = null, unit = null, message = null } = progress;
      await this.database.call(caller.tenantId, (db) =>
        reportProgress(db, id, attempt, { done, total, unit, message }),
      );
    }
    if (status !== undefined) await this.advance(caller, agent, job, status);
    return this.told(agent, await this.holders.job(agent, caller, id, attempt));
  }

  /** Renews the lease of a job that is held. The activity that stands for it may not have begun yet. */
  async beat(id: string, attempt: number): Promise<void> {
    await this.holds.beat(id, attempt).catch(unlessNotFound);
  }

  /** Tells the agent how the job stands; that it was told to stop is kept. */
  async told(agent: AgentRecord, job: JobRecord): Promise<Holding> {
    if (job.stop !== null && job.cancelDeliveredAt === null) {
      await this.database.call(job.tenantId, (db) => reportStopDelivered(db, job.id, job.attempt));
    }
    return toHolding(job, agent);
  }

  private async advance(
    caller: Principal,
    { id: agentId }: AgentRecord,
    job: JobRecord,
    status: NonNullable<ReportRequest['status']>,
  ): Promise<void> {
    const { id, attempt } = job;
    const reached = (now: JobRecord) => stepsBetween(now.status, status).length === 0;
    if (reached(job)) return;
    if (job.stop !== null) throw new PerdureError('transition-refused', 'The job is to stop: give it back');
    // A workflow that is over takes no reports: the record, which follows shortly, tells the agent why.
    await this.holds.report(id, { agentId, attempt, status }).catch(unlessNotFound);
    const enough = (now: JobRecord) => reached(now) || now.attempt !== attempt || now.stop !== null;
    await this.jobs.echo(job, { ms: echoMs, enough });
  }
}

function unlessNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
