import type { ErrorCode, JobError } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { Status } from './status.ts';
import type { EventType } from './transitions.ts';

/** One fact of a job's life. `seq` counts 1, 2, 3 … without gaps; `created` is always 1. */
export type JobEvent = {
  seq: number;
  type: EventType;
  /** RFC 3339, UTC, milliseconds. */
  at: string;
  /** The status after the event. */
  status: Status;
  attempt: number;
  agentId: string | null;
  /** Who caused it: the owner, an operator, the agent, `perdure` itself. */
  actor: string;
  message: string | null;
  code: ErrorCode | null;
  data: JsonObject | null;
};

/** A run of the workflow of a job, by Temporal's ids, and the one that it goes on from of its own accord. */
export type Run = { id: string; continuedFrom: string | null };

/** A file that a job brought forth. Its bytes are in storage under `sha256`. */
export type OutputFile = { fileId: string; name: string; mediaType: string; size: number; sha256: string };

/** What a completed job returned. `resultFile` names the file that is the declared result; without it `output` is. */
export type Outcome = { output: JsonObject | null; files: OutputFile[]; resultFile: string | null };

/** What an agent is told that is to stop. The function gets `graceSeconds`; the agent is given up on at `deadlineAt`. */
export type Stop = {
  mode: 'graceful' | 'force';
  graceSeconds: number;
  deadlineAt: string;
  reason: string | null;
  by: string | null;
};

/** What the workflow knows of its job: the answer of the query `status`, and what `record` writes. Times as in `JobEvent.at`. */
export type JobState = {
  jobId: string;
  status: Status;
  attempt: number;
  /** The last event that counts in this state. */
  seq: number;
  agentId: string | null;
  pool: string | null;
  assignedAgentId: string | null;
  functionVersion: string | null;
  agentLosses: number;
  createdAt: string;
  queuedAt: string | null;
  startedAt: string | null;
  endedAt: string | null;
  cancelRequestedAt: string | null;
  /** The function was killed, or the agent given up on. Known once the job is CANCELED. */
  cancelForced: boolean | null;
  /** The last instruction to stop that an agent must learn: of a cancel or a reassign. */
  stop: Stop | null;
  error: JobError | null;
  outcome: Outcome | null;
};
