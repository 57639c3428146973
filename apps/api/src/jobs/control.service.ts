import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { CancelRequest, ReassignRequest } from '@perdure/job/schemas';
import { canServe } from '@perdure/job/queues';
import { isTerminal } from '@perdure/job/status';
import { statusesBefore } from '@perdure/job/transitions';
import { getAgent, type JobRecord, poolExists } from '@perdure/store/read';
import { demandOf, offerOf } from '../agents/offers.ts';
import { AuditLog } from '../audit/audit-log.ts';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { refusal } from '../http/refusal.ts';
import { requireMatch } from '../http/conditional.ts';
import { TemporalService } from '../temporal/temporal.service.ts';
import { etagOf, fromRecord, type Seen } from './job-answer.ts';
import { JobsService } from './jobs.service.ts';
import { WorkflowStatus } from './workflow-status.ts';

const signalBudgetMs = 2_500;
/** A worker that is there has recorded a command by then. */
const echoMs = 250;

/**
 * Steers jobs. A signal cannot answer, so the state is checked as far as it can be seen; the workflow decides, and a
 * refusal stands in the history.
 */
@Injectable()
export class ControlService {
  constructor(
    private readonly jobs: JobsService,
    private readonly temporal: TemporalService,
    private readonly database: DatabaseService,
    private readonly workflows: WorkflowStatus,
    private readonly audit: AuditLog,
  ) {}

  async cancel(
    caller: Principal,
    id: string,
    request: CancelRequest,
    ifMatch: string | undefined,
  ): Promise<Seen> {
    const seen = await this.look(caller, id, ifMatch);
    if (isTerminal(seen.status)) return seen;
    return this.signal(caller, seen.record, 'cancel', { ...request, by: caller.id });
  }

  async reassign(
    caller: Principal,
    id: string,
    request: ReassignRequest,
    ifMatch: string | undefined,
  ): Promise<Seen> {
    const seen = await this.look(caller, id, ifMatch);
    const { status } = seen;
    // A job that has just been created is PENDING before it reads its signals.
    const allowed =
      status === 'CREATED' || status === 'UNKNOWN' || statusesBefore('reassignRequested').includes(status);
    if (!allowed)
      throw new PerdureError('transition-refused', `A job that is ${status} cannot be reassigned`);
    await this.checkTarget(caller, seen.record, request);
    return this.signal(caller, seen.record, 'reassign', { ...request, by: caller.id });
  }

  private async look(caller: Principal, id: string, ifMatch: string | undefined): Promise<Seen> {
    const seen = await this.jobs.newest(caller, await this.jobs.record(caller, id, 'editor'));
    requireMatch(ifMatch, etagOf(seen));
    return seen;
  }

  private async checkTarget(
    { tenantId }: Principal,
    job: JobRecord,
    { agentId, pool }: ReassignRequest,
  ): Promise<void> {
    if (pool !== undefined && !(await this.database.call(tenantId, (db) => poolExists(db, tenantId, pool)))) {
      throw refusal('unknown-pool', '/pool', `There is no pool '${pool}'. GET /v1/pools lists them`);
    }
    if (agentId === undefined) return;
    const agent = await this.database.call(tenantId, (db) => getAgent(db, tenantId, agentId));
    if (agent === undefined) throw refusal('unknown-agent', '/agentId', `There is no agent '${agentId}'`);
    if (!canServe(offerOf(agent), demandOf({ ...job, assignedAgentId: agentId }))) {
      throw refusal('incapable-agent', '/agentId', `Agent '${agentId}' does not offer what the job needs`);
    }
  }

  /** Signals are durable, whether or not a worker runs. */
  private async signal(
    caller: Principal,
    job: JobRecord,
    name: 'cancel' | 'reassign',
    payload: object,
  ): Promise<Seen> {
    await this.audit.enter(caller, 'asked', { kind: 'job', id: job.id });
    // Submitted while Temporal was away: without a workflow nobody would get the signal.
    if (job.workflowStartedAt === null && job.status === 'CREATED') {
      await this.temporal.start(job.id, job.start, signalBudgetMs);
    }
    await this.temporal.signal(job.id, name, payload, signalBudgetMs).catch((error: unknown) => {
      if (!(error instanceof PerdureError) || error.code !== 'not-found') throw error;
      throw new PerdureError(
        'transition-refused',
        'The workflow of the job is over; its record will follow shortly',
        { cause: error },
      );
    });
    this.workflows.forget(job.id);
    const { revision } = job;
    const enough = (now: JobRecord): boolean => now.revision > revision;
    return fromRecord(await this.jobs.echo(job, { ms: echoMs, enough }));
  }
}
