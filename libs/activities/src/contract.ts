import type { JobError } from '@perdure/job/errors';
import type { JobEvent, JobState, Outcome, Run } from '@perdure/job/event';
import type { Status } from '@perdure/job/status';
import type { JsonObject } from '@perdure/job/json';
import type { JobStart } from '@perdure/job/start';

/** What every stage is told; the agent that claimed knows the rest. */
export type StageRequest = { jobId: string; attempt: number };

export type ClaimRequest = StageRequest & {
  start: JobStart;
  /** The next loss of an agent would end the job: it is to run beside no other. */
  alone?: boolean;
};

/** How a failing `execute` is tried again on the same agent: Temporal's retry policy, declared by the function. */
export type FunctionRetry = {
  maximumAttempts: number;
  initialIntervalMs: number;
  backoffCoefficient: number;
  maximumIntervalMs: number;
};

/** What the agent found when it held the parameters against the function's schema. `deeper`: the stage `validate` is to follow. */
export type Verdict = { kind: 'valid' } | { kind: 'deeper' } | { kind: 'invalid'; error: JobError };

export type ClaimAnswer =
  | { kind: 'full' }
  | {
      kind: 'claimed';
      agentId: string;
      /** When the agent took the job, and when it had checked it (RFC 3339). */
      claimedAt: string;
      checkedAt: string;
      verdict: Verdict;
      retry: FunctionRetry;
      /** An agent that does not beat for so long has lost the job. */
      leaseMs: number;
    };

export type Executed = {
  /** When the function returned (RFC 3339). */
  executedAt: string;
  /** The outcome itself, or `null` where files (or a large output) have yet to be uploaded. */
  outcome: Outcome | null;
};

export type AgentActivities = {
  claim(request: ClaimRequest): Promise<ClaimAnswer>;
  validate(request: StageRequest): Promise<void>;
  execute(request: StageRequest): Promise<Executed>;
  upload(request: StageRequest): Promise<Outcome>;
};

export type RecordEntry = { start: JobStart; state: JobState; events: JobEvent[]; run: Run };

/** The job was recorded by another run of its workflow: how far, and who has reset it why, as far as Temporal knows. */
export type Reset = { lastSeq: number; attempt: number; status: Status; by: string; reason: string | null };

export type Admission = { admitted: true; start: JobStart } | { admitted: false; error: JobError };

export type OrchestratorActivities = {
  /** Checks a start that did not come through the API, and resolves the newest version. */
  admit(start: JobStart): Promise<Admission>;
  /** Nothing was written where the answer is a reset. */
  record(entry: RecordEntry): Promise<void | Reset>;
  /** Stands for what an HTTP agent does with the job; ended from outside, by its id. */
  hold(request: StageRequest): Promise<Outcome>;
  /** Asks Temporal to cancel the workflow of a job, as a client would. */
  requestNativeCancel(jobId: string): Promise<void>;
};

export type HousekeepingActivities = {
  tidy(): Promise<JsonObject>;
};
