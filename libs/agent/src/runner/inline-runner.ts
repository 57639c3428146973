import type { FunctionDefinition } from '@perdure/functions';
import type { Hooks, Runner, StageInput, StageName, StageResult } from './contract.ts';
import { canceled, failureFrom, FunctionFailure } from './failure.ts';
import { logIntake, now } from './log-intake.ts';
import { runStage } from './stage.ts';

/** Runs a function in the agent's own event loop. Its code cannot be killed; after the grace time it is no longer waited for. */
export function inlineRunner(definition: FunctionDefinition, scratch: string): Runner {
  const stopped = new AbortController();
  const givenUp = Promise.withResolvers<never>();
  // Only a stage that runs waits for it.
  givenUp.promise.catch(() => {});
  let running: Promise<unknown> = Promise.resolve();

  async function run(stage: StageName, input: StageInput, hooks: Hooks): Promise<StageResult> {
    if (stopped.signal.aborted) throw new FunctionFailure(canceled);
    const intake = logIntake(hooks.onLog);
    const work = runStage(definition, stage, input, {
      scratch,
      signal: stopped.signal,
      log: (level, text) => void intake.take({ at: now(), stream: 'log', level, text }),
      progress: hooks.onProgress,
    }).catch((cause: unknown) => {
      throw new FunctionFailure(failureFrom(cause, { aborted: stopped.signal.aborted }), { cause });
    });
    running = work.catch(() => {});
    const ended = Promise.race([work, givenUp.promise]);
    return ended.finally(() => intake.finish());
  }

  async function stop(graceMs: number): Promise<void> {
    stopped.abort();
    const timer = setTimeout(() => givenUp.reject(new FunctionFailure(canceled)), graceMs);
    await Promise.race([running, givenUp.promise]).catch(() => {});
    clearTimeout(timer);
  }

  return { run, stop, pid: undefined, ended: false, kill: () => stop(0) };
}
