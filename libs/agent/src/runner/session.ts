import { commandRunner } from './command-runner.ts';
import type {
  Hooks,
  Runner,
  Session,
  SessionOptions,
  StageInput,
  StageName,
  StageResult,
  Stopped,
} from './contract.ts';
import { canceled, FunctionFailure } from './failure.ts';
import { inlineRunner } from './inline-runner.ts';
import { processRunner } from './process-runner.ts';

export { FunctionFailure } from './failure.ts';
export type {
  Hooks,
  LogLine,
  ProgressReport,
  ResultFile,
  Session,
  SessionOptions,
  StageInput,
  StageResult,
} from './contract.ts';
export type { Limits } from './limits.ts';

/** Opens a session and begins to start its process. Never throws: what is wrong is told by the first stage. */
export function openSession(options: SessionOptions): Session {
  let stopped = false;
  let runner = openRunner(options);

  async function run(stage: StageName, input: StageInput, hooks: Hooks): Promise<StageResult> {
    if (stopped) throw new FunctionFailure(canceled);
    if (runner.ended) runner = openRunner(options);
    return runner.run(stage, input, hooks);
  }

  async function stop(graceMs: number): Promise<Stopped> {
    stopped = true;
    return runner.stop(graceMs);
  }

  return {
    validate: async (input, hooks) => void (await run('validate', input, hooks)),
    execute: (input, hooks) => run('execute', input, hooks),
    stop,
    kill: async () => void (await stop(0)),
    get pid() {
      return runner.pid;
    },
  };
}

function openRunner(options: SessionOptions): Runner {
  const { definition } = options;
  switch (definition.isolation) {
    case 'inline':
      return inlineRunner(definition, options);
    case 'process':
      return processRunner(definition, options);
    case 'command':
      return commandRunner(definition, options);
  }
}
