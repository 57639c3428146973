import type { FunctionDefinition, LogLevel } from '@perdure/functions';
import type { JsonObject } from '@perdure/job/json';
import type { Limits } from './limits.ts';
import type { UsageSampler } from './usage-sampler.ts';

export type StageName = 'validate' | 'execute';

/** `files`: the local path of each file parameter, by file id. */
export type StageInput = { parameters: JsonObject; files: Record<string, string> };

export type LogLine = { at: string; stream: 'stdout' | 'stderr' | 'log'; level: LogLevel; text: string };

export type ProgressReport = {
  done: number;
  total: number | null;
  unit: string | null;
  message: string | null;
};

export type Hooks = {
  /** A line of the function. As long as a returned promise is open, no further line is taken, and a process that writes is held up. */
  onLog: (line: LogLine) => void | Promise<void>;
  /** At most five times a second, and the last one always. */
  onProgress: (progress: ProgressReport) => void;
};

export type ResultFile = { name: string; mediaType: string; path: string; size: number };
export type StageResult = { output: JsonObject | null; files: ResultFile[] };

export type SessionOptions = {
  definition: FunctionDefinition;
  /** Where the child process finds the function: the name of the pack, or the `file:` URL of a module that exports `functions`. */
  pack: string;
  /** An existing folder, the job's alone. Whoever opens the session removes it afterwards. */
  scratch: string;
  /**
   * The environment of the child process. The agent's own is not handed down: it holds secrets.
   * Default: a PATH and the locale; TMPDIR is always the scratch folder.
   */
  env?: Record<string, string>;
  /** What a job may use where its function does not say. */
  limits?: Partial<Limits>;
  /** Default: the one of this process. */
  sampler?: UsageSampler;
};

/** Whether the function ended by itself when it was asked to, or had to be killed. */
export type Stopped = 'stopped' | 'killed';

/**
 * The stages of one claimed job: in a child process for an `isolation: 'process'` function, in the agent's own for `inline`, by the
 * declared program for `command`.
 * A stage rejects with `FunctionFailure`. Whoever opens a session calls `kill` when it is done with it.
 */
export type Session = {
  /** Checks the parameters, and what the function's own `validate` checks. */
  validate(input: StageInput, hooks: Hooks): Promise<void>;
  /** May be called again after a failure that is `retryable`; a process that has died is replaced. */
  execute(input: StageInput, hooks: Hooks): Promise<StageResult>;
  /**
   * Asks the function to stop (by its AbortSignal; SIGTERM for a program), and kills its whole process group after the grace time.
   * Resolves when nothing of it runs.
   */
  stop(graceMs: number): Promise<Stopped>;
  /** Ends the session at once; nothing happens when it has ended. */
  kill(): Promise<void>;
  /** Of the process; undefined for an inline function, and where no process has started. */
  readonly pid: number | undefined;
};

/** What one process (or none, for an inline function) gives to a session. */
export type Runner = Pick<Session, 'stop' | 'pid'> & {
  run(stage: StageName, input: StageInput, hooks: Hooks): Promise<StageResult>;
  /** The process has gone. */
  readonly ended: boolean;
};
