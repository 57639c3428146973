import type { FunctionDefinition } from '@perdure/functions';
import { loadPack } from '@perdure/functions/packs';
import { PerdureError } from '@perdure/job/errors';
import type {
  Hooks,
  Runner,
  Session,
  SessionOptions,
  StageInput,
  StageName,
  StageResult,
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
