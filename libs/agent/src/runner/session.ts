import type { FunctionDefinition } from '@perdure/functions';
import { loadPack } from '@perdure/functions/packs';
import { PerdureError } from '@perdure/job/errors';
import { canceled, FunctionFailure } from './failure.ts';
import { inlineRunner } from './inline-runner.ts';
import { processRunner } from './process-runner.ts';
import type { Hooks, StageInput, StageName, StageResult } from './stage.ts';

export { FunctionFailure } from './failure.ts';
export type { Hooks, LogLine, ProgressReport, ResultFile, StageInput, StageResult } from './stage.ts';

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

/** Opens a session and begins to start its process. Never throws: what is wrong is told by the first stage. */
export function openSession(options: SessionOptions): Session {
  let stopped = false;
  let runner: Runner | undefined;
  const opened = findFunction(options).then((definition) => {
    const open = () =>
      definition.isolation === 'inline' ? inlineRunner(definition, options.scratch) : processRunner(options);
    runner = stopped ? undefined : open();
    return open;
  });
  // Told to the first stage; not an unhandled rejection when there is none.
  opened.catch(() => {});

  async function run(stage: StageName, input: StageInput, hooks: Hooks): Promise<StageResult> {
    const open = await opened;
    if (stopped) throw new FunctionFailure(canceled);
    if (!runner || runner.ended) runner = open();
    return runner.run(stage, input, hooks);
  }

  async function stop(graceMs: number): Promise<void> {
    stopped = true;
    await opened.catch(() => {});
    await runner?.stop(graceMs);
  }

  return {
    validate: async (input, hooks) => void (await run('validate', input, hooks)),
    execute: (input, hooks) => run('execute', input, hooks),
    stop,
    kill: () => stop(0),
    get pid() {
      return runner?.pid;
    },
  };
}

/** Throws `PerdureError` 'unknown-function'. */
export async function findFunction({
  pack,
  functionName,
  functionVersion,
}: Omit<SessionOptions, 'scratch'>): Promise<FunctionDefinition> {
  const found = (await loadPack(pack)).find(
    ({ name, version }) => name === functionName && version === functionVersion,
  );
  if (!found)
    throw new PerdureError(
      'unknown-function',
      `the pack ${pack} has no function ${functionName}@${functionVersion}`,
    );
  return found;
}
