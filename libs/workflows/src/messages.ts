import type { Interruption } from '@perdure/job/commands';
import type { JobEvent, JobState } from '@perdure/job/event';
import type { Bid, Grant } from '@perdure/job/holds';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';

/** `{reason?, by?, graceSeconds?, mode?: 'graceful' | 'force'}`, or nothing. Durable also while no worker runs. */
export const cancelSignal = defineSignal<[payload?: unknown]>('cancel');

/** Exactly one of `{agentId}`, `{pool}`, `{anyone: true}`, with `reason?`, `by?`, `graceSeconds?`. Refused, visibly, while UPLOADING. */
export const reassignSignal = defineSignal<[payload?: unknown]>('reassign');

/** `{agentId, attempt, status}`: the HTTP agent that holds the job says how far it is. Of an attempt that does not hold it: nothing. */
export const reportSignal = defineSignal<[payload?: unknown]>('report');

/** An operator has paused or reset an activity. Told with an id of its own for each such act, so that telling it twice is telling it once. */
export const interruptedUpdate = defineUpdate<void, [interruption: Interruption]>('interrupted');

/** What the workflow knows of its job. */
export const statusQuery = defineQuery<JobState>('status');

/** The newest events (at most `keptEvents`); the record has them all. */
export const historyQuery = defineQuery<JobEvent[]>('history');

/** An HTTP agent takes this very job. Refused unless the job is PENDING and nobody else is taking it. */
export const claimUpdate = defineUpdate<Grant, [bid: Bid]>('claim');
