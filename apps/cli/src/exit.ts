import { JobNotCompleted, PerdureProblem, PerdureUnreachable } from '@perdure/client';
import { CommanderError } from 'commander';

export const exitCodes = {
  done: 0,
  error: 1,
  usage: 2,
  failed: 3,
  canceled: 4,
  unreachable: 5,
  interrupted: 130,
} as const;

export const exitCodesHelp = `
Exit codes:
  0    done
  1    the API refused, or something else went wrong
  2    the command was called in a wrong way
  3    the job ended as FAILED
  4    the job ended as CANCELED
  5    the API does not answer
  130  interrupted (Ctrl-C); the job goes on`;

/** Thrown when the command cannot do what it was called for as it was called; the message names the remedy. */
export class UsageError extends Error {}

/** Thrown by Ctrl-C. */
export class Interrupted extends Error {
  constructor() {
    super('Interrupted');
  }
}

/** Says on stderr what went wrong, and answers the exit code. */
export function report(error: unknown): number {
  // Commander has said it, or shown the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (error instanceof Interrupted) return exitCodes.interrupted;
  say(error instanceof Error ? error.message : String(error));
  if (error instanceof PerdureProblem) {
    for (const { pointer, detail } of error.errors) say(`  ${pointer}: ${detail}`);
    say(`  (${error.code}, trace ${error.traceId})`);
  }
  if (error instanceof JobNotCompleted) {
    const canceled = error.error === undefined || error.error.code === 'canceled';
    return canceled ? exitCodes.canceled : exitCodes.failed;
  }
  if (error instanceof PerdureUnreachable) return exitCodes.unreachable;
  return error instanceof UsageError ? exitCodes.usage : exitCodes.error;
}

/** A line on stderr. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
