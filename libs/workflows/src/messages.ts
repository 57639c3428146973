import type { JobEvent, JobState } from '@perdure/job/event';
import { defineQuery, defineSignal } from '@temporalio/workflow';

/** `{reason?, by?, graceSeconds?, mode?: 'graceful' | 'force'}`, or nothing. Durable also while no worker runs. */
export const cancelSignal = defineSignal<[payload?: unknown]>('cancel');

/** Exactly one of `{agentId}`, `{pool}`, `{anyone: true}`, with `reason?`, `by?`, `graceSeconds?`. Refused, visibly, while UPLOADING. */
export const reassignSignal = defineSignal<[payload?: unknown]>('reassign');

/** What the workflow knows of its job. */
export const statusQuery = defineQuery<JobState>('status');

/** The newest events (at most `keptEvents`); the record has them all. */
export const historyQuery = defineQuery<JobEvent[]>('history');
