import type { CodeDefinition } from '@perdure/functions';
import type {
  Hooks,
  Runner,
  SessionOptions,
  StageInput,
  StageName,
  StageResult,
  Stopped,
} from './contract.ts';
import { canceled, failureFrom, FunctionFailure } from './failure.ts';
import { limitsFor } from './limits.ts';
import { logIntake, logLimits } from './log-intake.ts';
import { runStage } from './stage.ts';

/** Runs a function in the agent's own event loop. Its code cannot be killed; after the grace time it is no longer waited for. */
export function inlineRunner(definition: CodeDefinition, { scratch, ...options }: SessionOptions): Runner {
  const { logLines } = limitsFor(definition, options.limits);
  const stopped = new AbortController();
  const givenUp = Promise.withResolvers<never>();
  // Only a stage that runs waits for it.
  givenUp.promise.catch(() => {});
  let running: Promise<unknown> = Promise.resolve();

  async function run(stage: StageName, input: StageInput, hooks: Hooks): Promise<StageResult> {
    if (stopped.signal.aborted) throw new FunctionFailure(canceled);
    const intake = logIntake(hooks.onLog, { ...logLimits, lines: logLines });
    const work = runStage(definition, stage, input, {
      scratch,
      signal: stopped.signal,
      log: (level, text) => void intake.take({ stream: 'log', level, text }),
      progress: hooks.onProgress,
    }).catch((cause: unknown) => {
      throw new FunctionFailure(failureFrom(cause, { aborted: stopped.signal.aborted }), { cause });
    });
    running = work.catch(() => {});
    const ended = Promise.race([work, givenUp.promise]);
    return ended.finally(() => intake.finish());
  }

  async function stop(graceMs: number): Promise<Stopped> {
    stopped.abort();
    const timer = setTimeout(() => givenUp.reject(new FunctionFailure(canceled)), graceMs);
    try {
      await Promise.race([running, givenUp.promise]);
      return 'stopped';
    } catch {
      return 'killed';
    } finally {
      clearTimeout(timer);
    }
  }

  return { run, stop, pid: undefined, ended: false };
}
