import { Listr } from 'listr2';
import pc from 'picocolors';

export type Step = { title: string; run(say: (text: string) => void, signal: AbortSignal): Promise<void> };

/**
 * Runs steps at the same time and shows how they get on: drawn on a terminal, as plain lines elsewhere. When one fails, or `signal`
 * comes, the others are told by their signal; rejects with the first failure when all have ended.
 */
export async function runSteps(
  steps: readonly Step[],
  options: { terminal: boolean; write: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const begun: Promise<void>[] = [];
  const start = (step: Step, say: (text: string) => void): Promise<void> => {
    const work = step.run(say, signal);
    begun.push(work);
    work.catch((error: unknown) => failure.abort(error));
    return work;
  };
  const shown = options.terminal
    ? drawn(steps, start)
    : Promise.all(steps.map((step) => inLines(step, start, options.write)));
  await shown.catch(() => undefined);
  await Promise.allSettled(begun);
  signal.throwIfAborted();
}

type Start = (step: Step, say: (text: string) => void) => Promise<void>;

function drawn(steps: readonly Step[], start: Start): Promise<unknown> {
  const tasks = steps.map((step) => ({
    title: step.title,
    task: (_context: unknown, task: { output: string }) => start(step, (text) => (task.output = text)),
  }));
  // Signals are handled by those who know in which order to end; the error is said by the caller, once.
  return new Listr(tasks, {
    concurrent: true,
    registerSignalListeners: false,
    rendererOptions: {
      showErrorMessage: false,
      timer: { condition: true, field: seconds, format: () => pc.dim },
    },
  }).run();
}

async function inLines(step: Step, start: Start, write: (line: string) => void): Promise<void> {
  const began = performance.now();
  write(`… ${step.title}`);
  try {
    await start(step, (text) => write(`  ${step.title}: ${text}`));
    write(`${pc.green('✔')} ${step.title} ${pc.dim(seconds(performance.now() - began))}`);
  } catch (error) {
    write(`${pc.red('✖')} ${step.title}`);
    throw error;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
