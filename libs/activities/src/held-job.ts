import type { FunctionDefinition } from '@perdure/functions';
import type { PerdureError } from '@perdure/job/errors';
import type { JsonObject } from '@perdure/job/json';
import type { ClaimAnswer, ClaimRequest, StageRequest } from './contract.ts';

/** One line that a function wrote. */
export type WrittenLine = {
  at: string;
  stream: 'stdout' | 'stderr' | 'log';
  level: 'debug' | 'info' | 'warn' | 'error';
  text: string;
};

export type Progress = { done: number; total: number | null; unit: string | null; message: string | null };

/** A file in the scratch folder, on its way to storage. */
export type ProducedFile = { name: string; mediaType: string; path: string; size: number };

export type SessionHooks = {
  /** As long as a returned promise is open, no further line is taken. */
  onLog: (line: WrittenLine) => void | Promise<void>;
  onProgress: (progress: Progress) => void;
};
export type SessionInput = { parameters: JsonObject; files: Record<string, string> };

/** A function at work for one claimed job, usually in a process of its own. Failures are `PerdureError`s that say whether a second try makes sense. */
export type Session = {
  validate(input: SessionInput, hooks: SessionHooks): Promise<void>;
  execute(
    input: SessionInput,
    hooks: SessionHooks,
  ): Promise<{ output: JsonObject | null; files: ProducedFile[] }>;
  /** Asks the function to stop, and kills its process group after `graceMs`. Resolves when it is gone. */
  stop(graceMs: number): Promise<Stopped>;
  kill(): Promise<void>;
};

/** Whether the function ended by itself when it was asked to, or had to be killed. */
export type Stopped = 'stopped' | 'killed';

export type FunctionFailure = PerdureError & { readonly retryable: boolean };

/** What an agent keeps of a job from claim to end. It lives in memory: an agent that restarts has lost its jobs. */
export type HeldJob = {
  request: ClaimRequest;
  answer: Extract<ClaimAnswer, { kind: 'claimed' }>;
  definition: FunctionDefinition;
  parameters: JsonObject;
  /** A folder of this attempt alone. */
  scratch: string;
  session: Session | undefined;
  inputs: SessionInput | undefined;
  produced: { output: JsonObject | null; files: ProducedFile[] } | undefined;
  /** Rejected when the record refuses what the attempt has to say: another has taken over. */
  overtaken: PromiseWithResolvers<never>;
};

/** The agent's slots: how many jobs it holds, over all its queues. */
export type Slots = {
  /** False when the agent is full or drains. A job that is held already is taken again. `alone`: nothing else is taken beside it. */
  reserve(request: StageRequest, alone?: boolean): boolean;
  keep(job: HeldJob): void;
  find(request: StageRequest): HeldJob | undefined;
  /** Resolves when the job may run: at once, unless it is to run alone. Rejects when it is not held any more. */
  mayRun(request: StageRequest): Promise<void>;
  /** Notes that a stage began; returns how to note that it ended, and how long the next may be in coming. */
  busy(request: StageRequest): (nextInMs: number) => void;
  /** Frees the slot; ends the process and removes the scratch folder. */
  release(request: StageRequest): Promise<void>;
};
