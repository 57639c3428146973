import type { JobEvent, JobState } from '@perdure/job/event';
import type { Status } from '@perdure/job/status';
import type { Bid, Grant, Report } from '@perdure/job/updates';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';

/** `{reason?, by?, graceSeconds?, mode?: 'graceful' | 'force'}`, or nothing. Durable also while no worker runs. */
export const cancelSignal = defineSignal<[payload?: unknown]>('cancel');

/** Exactly one of `{agentId}`, `{pool}`, `{anyone: true}`, with `reason?`, `by?`, `graceSeconds?`. Refused, visibly, while UPLOADING. */
export const reassignSignal = defineSignal<[payload?: unknown]>('reassign');

/** What the workflow knows of its job. */
export const statusQuery = defineQuery<JobState>('status');

/** The newest events (at most `keptEvents`); the record has them all. */
export const historyQuery = defineQuery<JobEvent[]>('history');

/** An HTTP agent takes this very job. Refused unless the job is PENDING and nobody else is taking it. */
export const claimUpdate = defineUpdate<Grant, [bid: Bid]>('claim');

/** The HTTP agent that holds the job says how far it is; answers with the status. Refused for an attempt that does not hold it. */
export const reportUpdate = defineUpdate<Status, [report: Report]>('report');
