import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { History, Job, JobSummary } from '@perdure/job/schemas';
import { isTerminal } from '@perdure/job/status';
import {
  getArchivings,
  getEvents,
  getJob,
  getPurged,
  getRevision,
  type JobRecord,
  type WaitingJob,
} from '@perdure/store/read';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { HttpError } from '../http/problem.ts';
import { WorkflowLinks } from './workflow-links.ts';
import { Shared } from '../shared.ts';
import { Changes } from './changes.ts';
import { aheadOfRecord, fromRecord, type Seen, toJob, toSummary } from './job-answer.ts';
import { WaitingReasons } from './waiting-reasons.ts';
import { WorkflowStatus } from './workflow-status.ts';

@Injectable()
export class JobsService {
  private readonly reads = new Shared<JobRecord | undefined>();
  constructor(
    private readonly database: DatabaseService,
    private readonly workflows: WorkflowStatus,
    private readonly changes: Changes,
    private readonly reasons: WaitingReasons,
    private readonly links: WorkflowLinks,
  ) {}

  /** What a conditional GET needs. */
  async revision({ tenantId }: Principal, id: string): Promise<WaitingJob> {
    return (
      (await this.database.call(tenantId, (db) => getRevision(db, tenantId, id))) ??
      this.missing(tenantId, id)
    );
  }

  async record({ tenantId }: Principal, id: string): Promise<JobRecord> {
    return (
      (await this.database.call(tenantId, (db) => getJob(db, tenantId, id))) ?? this.missing(tenantId, id)
    );
  }

  /** The newest state that can be seen within the budget: the workflow's own word, else the record. */
  async newest(caller: Principal, record: JobRecord): Promise<Seen> {
    const neverStarted = record.status === 'CREATED' && record.workflowStartedAt === null;
    if (isTerminal(record.status) || neverStarted) return fromRecord(record);
    const said = await this.workflows.ask(record.id);
    if (said.kind === 'silent') return fromRecord(record);
    if (said.kind === 'gone') return this.unknownUnlessRecorded(caller, record);
    const { state, asOf } = said;
    if (state.seq === record.lastSeq) return { record, source: 'workflow', asOf, status: record.status };
    if (state.seq < record.lastSeq) return fromRecord(record);
    // It records what it decides at once: a moment later the two mostly agree.
    const again = await this.record(caller, record.id);
    if (state.seq > again.lastSeq) return aheadOfRecord(again, state, asOf);
    return state.seq === again.lastSeq
      ? { record: again, source: 'workflow', asOf, status: again.status }
      : fromRecord(again);
  }

  /** Temporal does not know a workflow that did run: housekeeping will say what became of it. */
  private async unknownUnlessRecorded(caller: Principal, record: JobRecord): Promise<Seen> {
    const again = await this.record(caller, record.id);
    const seen = fromRecord(again);
    return isTerminal(again.status) ? seen : { ...seen, ahead: 'unknown', status: 'UNKNOWN' };
  }

  /** Waits until `enough`, or the time is over, or the server closes; then the record as it is. Asks Temporal nothing. */
  async waitUntil(
    caller: Principal,
    id: string,
    options: { ms: number; gone?: AbortSignal; enough: (record: JobRecord) => boolean },
  ): Promise<JobRecord> {
    const end = Date.now() + options.ms;
    const watch = this.changes.watch(id, options.gone);
    try {
      for (;;) {
        const record = (await this.shared(caller, id)) ?? (await this.missing(caller.tenantId, id));
        if (isTerminal(record.status) || options.enough(record)) return record;
        if ((await watch.beyond(record.revision, end - Date.now())) !== 'change') return record;
      }
    } finally {
      watch.close();
    }
  }

  /** Its revision, once it was seen whether it waits for another reason than before. */
  async settledRevision(job: WaitingJob): Promise<number> {
    return (await this.reasons.note(job)).revision;
  }

  /** With why the job waits; where that has changed, at a revision of its own. */
  async settled(seen: Seen): Promise<Seen> {
    if (seen.status !== 'PENDING') return seen;
    const { reason, revision } = await this.reasons.note(seen.record);
    return { ...seen, record: { ...seen.record, waitingReason: reason, revision } };
  }

  answer(seen: Seen): Job {
    return toJob(seen, (job) => this.links.of(job));
  }

  async summary(record: JobRecord): Promise<JobSummary> {
    return toSummary(fromRecord({ ...record, waitingReason: await this.reasons.of(record) }), (job) =>
      this.links.of(job),
    );
  }

  async history(caller: Principal, id: string): Promise<History> {
    await this.revision(caller, id);
    const [items, archivings] = await this.database.call(caller.tenantId, (db) =>
      Promise.all([getEvents(db, caller.tenantId, id), getArchivings(db, caller.tenantId, id)]),
    );
    return { items, archivings };
  }

  /** The same for a job of somebody else and for none at all; of one that is no longer kept, what is known (RFC 9110, 15.5.11). */
  private async missing(tenantId: string, id: string): Promise<never> {
    const purged = await this.database.call(tenantId, (db) => getPurged(db, tenantId, id));
    if (purged === undefined) throw new PerdureError('not-found', 'There is no such job');
    const { functionName: name, functionVersion: version, ...job } = purged;
    throw new HttpError('gone', `The job ended as ${job.status} and was kept until ${job.purgedAt}`, {
      members: { job: { ...job, function: { name, version } } },
    });
  }

  /** Those who wait for the same job read it together. */
  private shared({ tenantId }: Principal, id: string): Promise<JobRecord | undefined> {
    return this.reads.get(`${tenantId} ${id}`, () =>
      this.database.call(tenantId, (db) => getJob(db, tenantId, id)),
    );
  }
}
