import { type CommandDefinition, parseParameters } from '@perdure/functions';
import { clip } from '@perdure/job/errors';
import { findOutputs, removeLeftovers } from './command-outputs.ts';
import type {
  Hooks,
  LogLine,
  Runner,
  SessionOptions,
  StageInput,
  StageName,
  StageResult,
  Stopped,
} from './contract.ts';
import {
  canceled,
  failureFrom,
  type FailureReport,
  FunctionFailure,
  overLimit,
  unlessDiskIsFull,
} from './failure.ts';
import { limitsFor } from './limits.ts';
import { logIntake, logLimits } from './log-intake.ts';
import type { Line } from './lines.ts';
import { type Exit, exitInWords } from './process-group.ts';
import { type Program, startProgram } from './program.ts';
import { openPumps } from './pumps.ts';
import { checkFiles } from './result-files.ts';
import { sharedUsageSampler } from './usage-sampler.ts';

/** What a failure repeats of stderr. */
const lastWords = { lines: 5, lineLength: 300 };

type Ended = { exit: Exit; words: string[]; exceeded: FailureReport | undefined };

/** Runs a declared program: a process group for each try. */
export function commandRunner(definition: CommandDefinition, options: SessionOptions): Runner {
  const { scratch, sampler = sharedUsageSampler } = options;
  const { timeoutSeconds } = definition;
  const limits = limitsFor(definition, options.limits);
  let program: Program | undefined;
  /** The time that a program has after it was asked to stop, for all of its group. */
  let grace: Promise<void> | undefined;
  let running = false;
  let stopping = false;
  let killed = false;

  async function run(stage: StageName, input: StageInput, hooks: Hooks): Promise<StageResult> {
    if (running) throw new Error('a session runs one stage at a time');
    running = true;
    try {
      if (stage === 'execute') return await execute(input, hooks);
      parseParameters(definition.input, input.parameters);
      return { output: null, files: [] };
    } catch (cause) {
      if (cause instanceof FunctionFailure) throw cause;
      throw new FunctionFailure(failureFrom(cause, { aborted: stopping }), { cause });
    } finally {
      running = false;
    }
  }

  async function execute({ parameters, files }: StageInput, hooks: Hooks): Promise<StageResult> {
    const inputs = Object.values(files);
    const args = definition.argumentsFor({ parameters, files });
    await removeLeftovers(scratch, inputs);
    if (stopping) throw new FunctionFailure(canceled);
    const { exit, words, exceeded } = await runToEnd(args, hooks);
    if (stopping) throw new FunctionFailure(canceled);
    if (exit.code !== 0) throw new FunctionFailure(exceeded ?? (await exitFailure(exit, words, scratch)));
    const produced = await findOutputs(definition.outputs, scratch, inputs);
    return { output: null, files: await checkFiles(definition, produced, scratch) };
  }

  async function runToEnd(args: readonly string[], hooks: Hooks): Promise<Ended> {
    const words: string[] = [];
    let exceeded: FailureReport | undefined;
    program = startProgram(definition, args, scratch);
    const { group, stdout, stderr, forget } = program;
    const exceed = (message: string) => {
      exceeded = overLimit(message);
      group.signal('SIGKILL');
    };
    const unwatch = sampler.watch({ pid: group.pid, scratch, limits, exceeded: exceed });
    const timer =
      timeoutSeconds && setTimeout(() => exceed(overTime(timeoutSeconds)), timeoutSeconds * 1_000);

    const intake = logIntake(hooks.onLog, { ...logLimits, lines: limits.logLines });
    const { pump, untilQuiet } = openPumps();
    const take = (stream: LogLine['stream'], level: LogLine['level'], { text, cut }: Line) =>
      intake.take({ stream, level, text }, cut);
    const reading = Promise.all([
      pump(stdout, logLimits.lineLength, (line) => take('stdout', 'info', line)),
      pump(stderr, logLimits.lineLength, (line) => {
        if (line.text.trim() !== '') words.push(clip(line.text, lastWords.lineLength));
        if (words.length > lastWords.lines) words.shift();
        return take('stderr', 'warn', line);
      }),
    ]);

    const exit = await group.exited;
    clearTimeout(timer);
    unwatch();
    await grace;
    // What the program has started must not outlive it.
    await group.kill();
    forget();
    await Promise.race([reading, untilQuiet()]);
    for (const stream of [stdout, stderr]) stream.destroy();
    await intake.finish();
    program = undefined;
    return { exit, words, exceeded };
  }

  async function stop(graceMs: number): Promise<Stopped> {
    stopping = true;
    if (!program) return 'stopped';
    const { group } = program;
    if (graceMs > 0) {
      group.signal('SIGTERM');
      grace = group.untilGone(graceMs);
      await grace;
    }
    killed ||= !group.isGone();
    await group.kill();
    return killed ? 'killed' : 'stopped';
  }

  return {
    run,
    stop,
    get pid() {
      return program?.group.pid;
    },
    // Each try starts a program of its own.
    ended: false,
  };
}

function overTime(seconds: number): string {
  return `The function ran for ${seconds} s and was not done; ${seconds} s are allowed (timeoutSeconds)`;
}

function exitFailure(exit: Exit, words: readonly string[], scratch: string): Promise<FailureReport> {
  const said = words.length > 0 ? `. Its last lines on stderr:\n${words.join('\n')}` : '';
  const hint = exit.error ? ' (is it installed on this agent, and may it be run?)' : '';
  const message = `The program ${exitInWords(exit)}${hint}${said}`;
  return unlessDiskIsFull({ code: 'execution-failed', message, retryable: true, details: [] }, scratch);
}
