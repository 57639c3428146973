import { Injectable } from '@nestjs/common';
import type { AccessLevel } from '@perdure/job/permissions';
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
import { noSuch, Visibility } from '../access/visibility.ts';
import { Catalogue } from '../functions/catalogue.ts';
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
    private readonly visibility: Visibility,
    private readonly catalogue: Catalogue,
  ) {}

  /** What a conditional GET needs. */
  async revision(caller: Principal, id: string): Promise<WaitingJob> {
    return (await this.glance(caller, id)) ?? this.missing(caller, id);
  }

  /** The same; undefined where there is no such job (any more), or not to this caller. */
  async glance(caller: Principal, id: string): Promise<WaitingJob | undefined> {
    const { tenantId } = caller;
    const job = await this.database.call(tenantId, (db) => getRevision(db, tenantId, id));
    return this.visibility.job(caller, job);
  }

  /** Throws 'forbidden' where the caller sees the job and has less access than is needed. */
  async record(caller: Principal, id: string, needed: AccessLevel = 'viewer'): Promise<JobRecord> {
    const job = await this.row(caller.tenantId, id);
    return (await this.visibility.job(caller, job, needed)) ?? this.missing(caller, id);
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
    const again = await this.again(caller, record);
    if (state.seq > again.lastSeq) return aheadOfRecord(again, state, asOf);
    return state.seq === again.lastSeq
      ? { record: again, source: 'workflow', asOf, status: again.status }
      : fromRecord(again);
  }

  /** Temporal does not know a workflow that did run: housekeeping will say what became of it. */
  private async unknownUnlessRecorded(caller: Principal, record: JobRecord): Promise<Seen> {
    const again = await this.again(caller, record);
    const seen = fromRecord(again);
    return isTerminal(again.status) ? seen : { ...seen, ahead: 'unknown', status: 'UNKNOWN' };
  }

  /** Waits until `enough`, or the time is over, or the server closes; then the record as it is. Asks Temporal nothing. */
  async waitUntil(
    caller: Principal,
    id: string,
    options: { ms: number; gone?: AbortSignal; enough: (record: JobRecord) => boolean },
  ): Promise<JobRecord> {
    const read = async () => this.visibility.job(caller, await this.shared(caller.tenantId, id));
    return (await this.watched(id, options, read)) ?? this.missing(caller, id);
  }

  /** The same for what has been let at the job: it waits for what comes of that. */
  async echo(
    { tenantId, id }: JobRecord,
    options: { ms: number; enough: (record: JobRecord) => boolean },
  ): Promise<JobRecord> {
    const record = await this.watched(id, options, () => this.shared(tenantId, id));
    if (record === undefined) throw noSuch('job');
    return record;
  }

  private async watched(
    id: string,
    options: { ms: number; gone?: AbortSignal; enough: (record: JobRecord) => boolean },
    read: () => Promise<JobRecord | undefined>,
  ): Promise<JobRecord | undefined> {
    const end = Date.now() + options.ms;
    const watch = this.changes.watch(id, options.gone);
    try {
      for (;;) {
        const record = await read();
        if (record === undefined) return undefined;
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

  /** Without the parameters that the function marks as secret. */
  async answer(seen: Seen): Promise<Job> {
    const { tenantId, functionName, functionVersion } = seen.record;
    const known = await this.catalogue.find(tenantId, functionName, functionVersion ?? undefined);
    const job = toJob(seen, (record) => this.links.of(record));
    return known === undefined ? job : { ...job, parameters: known.hide(job.parameters).parameters };
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
  private async missing(caller: Principal, id: string): Promise<never> {
    const { tenantId } = caller;
    const purged = await this.database.call(tenantId, (db) => getPurged(db, tenantId, id));
    const seen = await this.visibility.job(caller, purged);
    if (seen === undefined) throw noSuch('job');
    const { functionName: name, functionVersion: version, ...job } = seen;
    throw new HttpError('gone', `The job ended as ${job.status} and was kept until ${job.purgedAt}`, {
      members: { job: { ...job, function: { name, version } } },
    });
  }

  /** Those who wait for the same job read it together. */
  private shared(tenantId: string, id: string): Promise<JobRecord | undefined> {
    return this.reads.get(`${tenantId} ${id}`, () => this.row(tenantId, id));
  }

  private row(tenantId: string, id: string): Promise<JobRecord | undefined> {
    return this.database.call(tenantId, (db) => getJob(db, tenantId, id));
  }

  /** The caller has seen it a moment ago. */
  private async again(caller: Principal, { tenantId, id }: JobRecord): Promise<JobRecord> {
    return (await this.row(tenantId, id)) ?? this.missing(caller, id);
  }
}
