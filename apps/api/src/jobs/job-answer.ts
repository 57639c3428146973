import type { JobState } from '@perdure/job/event';
import type { Job, JobSummary, WaitingReason } from '@perdure/job/schemas';
import { defaultRetention } from '@perdure/job/start';
import { type AnsweredStatus, isTerminal, stageOf } from '@perdure/job/status';
import type { JobRecord } from '@perdure/store/read';

/** A job as it is answered: the record, who vouches for it, and as of when. */
export type Seen = {
  record: JobRecord;
  source: 'workflow' | 'record';
  asOf: string;
  /** Set where the workflow is ahead of the record, or neither can tell. */
  ahead?: string;
  status: AnsweredStatus;
};

/** Nobody else was asked. A terminal state stays true; another was true when it was written. */
export function fromRecord(record: JobRecord): Seen {
  const asOf = isTerminal(record.status) ? new Date().toISOString() : record.updatedAt;
  return { record, source: 'record', asOf, status: record.status };
}

/** The workflow has decided more than is recorded by now. */
export function aheadOfRecord(record: JobRecord, state: JobState, asOf: string): Seen {
  const sameRun = state.status === record.status && state.attempt === record.attempt;
  return {
    record: {
      ...record,
      ...(sameRun ? {} : { progress: null, lastFailure: null, nextAttemptAt: null }),
      status: state.status,
      attempt: state.attempt,
      agentId: state.agentId,
      pool: state.pool,
      assignedAgentId: state.assignedAgentId,
      functionVersion: state.functionVersion,
      queuedAt: state.queuedAt,
      startedAt: state.startedAt,
      endedAt: state.endedAt,
      cancelRequestedAt: state.cancelRequestedAt,
      cancelForced: state.cancelForced,
      stop: state.stop,
      error: state.error,
      output: state.outcome?.output ?? null,
      files: state.outcome?.files ?? [],
      resultFile: state.outcome?.resultFile ?? null,
    },
    source: 'workflow',
    asOf,
    ahead: String(state.seq),
    status: state.status,
  };
}

/** The strong ETag: the revision, which every visible change raises. What is not recorded yet has a tag of its own. */
export function etagOf({ record, ahead }: Pick<Seen, 'record' | 'ahead'>): string {
  return recordedTag(record.revision, ahead);
}

export function recordedTag(revision: number, ahead?: string): string {
  return ahead === undefined ? `"${revision}"` : `"${revision}.${ahead}"`;
}

/** Seconds until it is worth asking again: more for older jobs, ten at most. Undefined when nothing will change any more. */
export function retryAfter({
  status,
  createdAt,
}: {
  status: AnsweredStatus;
  createdAt: string;
}): string | undefined {
  if (isTerminal(status)) return undefined;
  const ageSeconds = (Date.now() - Date.parse(createdAt)) / 1_000;
  return String(Math.min(10, Math.max(1, Math.floor(ageSeconds / 10) + 1)));
}

/** Where the Temporal UI shows the workflow of a job; null where it does not, or no longer. */
export type UiLink = (job: JobRecord) => string | null;

export function toJob(seen: Seen, ui: UiLink): Job {
  return {
    ...toSummary(seen, ui),
    parameters: seen.record.parameters,
    output: seen.record.output,
  };
}

export function toSummary({ record, status, source, asOf }: Seen, ui: UiLink): JobSummary {
  const self = `/v1/jobs/${record.id}`;
  return {
    id: record.id,
    name: record.name,
    owner: record.owner,
    status,
    stage: stageOf[status],
    function: { name: record.functionName, version: record.functionVersion },
    pool: record.pool,
    agentId: record.agentId,
    assignedAgentId: record.assignedAgentId,
    attempt: record.attempt,
    priority: record.priority,
    labels: record.labels,
    limits: record.limits,
    retention: record.start.retention ?? defaultRetention,
    notBefore: notBeforeOf(record),
    progress: record.progress,
    files: record.files.map(toJobFile),
    error: record.error,
    lastFailure: record.lastFailure,
    nextAttemptAt: record.nextAttemptAt,
    waitingReason: waitingReasonOf(record, status),
    cancelRequestedAt: record.cancelRequestedAt,
    cancelDeliveredAt: record.cancelDeliveredAt,
    cancelDeadlineAt: record.cancelRequestedAt === null ? null : (record.stop?.deadlineAt ?? null),
    cancelForced: record.cancelForced,
    rerunOf: record.start.rerunOf ?? null,
    reruns: record.reruns,
    createdAt: record.createdAt,
    queuedAt: record.queuedAt,
    startedAt: record.startedAt,
    endedAt: record.endedAt,
    archivedAt: record.archivedAt,
    updatedAt: record.updatedAt,
    revision: record.revision,
    source,
    asOf,
    links: {
      self,
      result: `${self}/result`,
      logs: `${self}/logs`,
      history: `${self}/history`,
      events: `${self}/events`,
      temporal: ui(record),
    },
  };
}

function notBeforeOf({ start: { notBefore } }: JobRecord): string | null {
  return notBefore === undefined ? null : new Date(notBefore).toISOString();
}

/** Not by the clock: what an ETag stands for does not change by itself. */
function waitingReasonOf(record: JobRecord, status: AnsweredStatus): WaitingReason | null {
  // Nobody else writes it.
  if (status === 'PENDING') return record.waitingReason as WaitingReason | null;
  const notBefore = notBeforeOf(record);
  const later = status === 'CREATED' && notBefore !== null && notBefore > record.createdAt;
  return later ? { kind: 'scheduled', notBefore } : null;
}

function toJobFile({
  fileId,
  name,
  mediaType,
  size,
  sha256,
}: JobRecord['files'][number]): Job['files'][number] {
  return { id: fileId, name, mediaType, size, sha256, links: { content: `/v1/files/${fileId}/content` } };
}
