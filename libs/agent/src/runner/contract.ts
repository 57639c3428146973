import type { LogLevel } from '@perdure/functions';
import type { JsonObject } from '@perdure/job/json';

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
  /** The name of the pack, or the `file:` URL of a module that exports `functions`. */
  pack: string;
  functionName: string;
  functionVersion: string;
  /** An existing folder, the job's alone. Whoever opens the session removes it afterwards. */
  scratch: string;
  /**
   * The environment of the process. The agent's own is not handed down: it holds secrets.
   * Default: a PATH and the locale; TMPDIR is always the scratch folder.
   */
  env?: Record<string, string>;
};

/**
 * The stages of one claimed job: a child process for an `isolation: 'process'` function, the agent's own for `inline`.
 * A stage rejects with `FunctionFailure`. Whoever opens a session calls `kill` when it is done with it.
 */
export type Session = {
  /** Checks the parameters, and what the function's own `validate` checks. */
  validate(input: StageInput, hooks: Hooks): Promise<void>;
  /** May be called again after a failure that is `retryable`; a process that has died is replaced. */
  execute(input: StageInput, hooks: Hooks): Promise<StageResult>;
  /** Asks the function to stop (its AbortSignal), and kills its whole process group after the grace time. Resolves when nothing of it runs. */
  stop(graceMs: number): Promise<void>;
  /** Ends the session at once; nothing happens when it has ended. */
  kill(): Promise<void>;
  /** Of the child process; undefined for an inline function, and before the process has started. */
  readonly pid: number | undefined;
};

/** What one process (or none, for an inline function) gives to a session. */
export type Runner = Omit<Session, 'validate' | 'execute'> & {
  run(stage: StageName, input: StageInput, hooks: Hooks): Promise<StageResult>;
  /** The process has gone. */
  readonly ended: boolean;
};
