import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { CodeDefinition } from '@perdure/functions';
import { startChild } from './child-process.ts';
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
import { canceled, type FailureReport, FunctionFailure, overLimit, unlessDiskIsFull } from './failure.ts';
import { limitsFor } from './limits.ts';
import { type LogIntake, logIntake, logLimits } from './log-intake.ts';
import type { Line } from './lines.ts';
import { type Exit, exitInWords } from './process-group.ts';
import { parseReport, type Report } from './protocol.ts';
import { openPumps } from './pumps.ts';
import { sharedUsageSampler } from './usage-sampler.ts';

/** A report is at most the output (1 MiB), with what JSON makes of it. */
const maxReportLength = 16 * 1024 * 1024;

type Ending = Extract<Report, { type: 'done' | 'failed' }>;
type Running = {
  hooks: Hooks;
  intake: LogIntake;
  mark: string;
  /** stdout and stderr, until their mark has come. */
  unmarked: Set<LogLine['stream']>;
  allMarked: PromiseWithResolvers<void>;
  ending: PromiseWithResolvers<Ending | Exit>;
  /** `ending` has come. */
  over: boolean;
};

/** Runs a function in a child process of its own. */
export function processRunner(definition: CodeDefinition, options: SessionOptions): Runner {
  const { pack, scratch, env, sampler = sharedUsageSampler } = options;
  const { name: functionName, version: functionVersion } = definition;
  const limits = limitsFor(definition, options.limits);
  const child = startChild({ pack, scratch, env, heapMiB: limits.memoryMiB });
  const { group } = child;
  const { pump, untilQuiet } = openPumps();
  let running: Running | undefined;
  let stopping = false;
  let killed = false;
  let ended = false;
  let exceeded: FailureReport | undefined;
  let outOfHeap = false;

  const unwatch = sampler.watch({
    pid: group.pid,
    scratch,
    limits,
    exceeded(message) {
      exceeded = overLimit(message);
      group.signal('SIGKILL');
    },
  });
  const pumps = Promise.all([
    pump(child.stdout, logLimits.lineLength, textTaker('stdout', 'info')),
    pump(child.stderr, logLimits.lineLength, textTaker('stderr', 'warn')),
    pump(child.reports, maxReportLength, takeReport),
  ]);
  const gone = group.exited.then(async (exit) => {
    ended = true;
    unwatch();
    // Something that has left the process group may hold the pipes open for ever.
    await Promise.race([pumps, untilQuiet()]);
    for (const stream of [child.stdout, child.stderr, child.reports]) stream.destroy();
    return exit;
  });

  async function run(stage: StageName, input: StageInput, hooks: Hooks): Promise<StageResult> {
    if (running) throw new Error('a session runs one stage at a time');
    if (stopping) throw new FunctionFailure(canceled);
    const mark = randomUUID();
    const current: Running = {
      hooks,
      mark,
      intake: logIntake(hooks.onLog, { ...logLimits, lines: limits.logLines }),
      unmarked: new Set(['stdout', 'stderr']),
      allMarked: Promise.withResolvers(),
      ending: Promise.withResolvers(),
      over: false,
    };
    running = current;
    const { ending, allMarked, intake } = current;
    void ending.promise.then(() => (current.over = true));
    child.send({ type: 'stage', stage, functionName, functionVersion, scratch, mark, ...input });
    void gone.then((exit) => {
      ending.resolve(exit);
      allMarked.resolve();
    });
    try {
      const end = await ending.promise;
      await Promise.race([allMarked.promise, untilQuiet()]);
      await intake.finish();
      if (!('type' in end)) throw new FunctionFailure(stopping ? canceled : await exitFailure(end));
      // What comes next must find a new process, not one that is about to end.
      if (end.type === 'failed' && end.last) await group.exited;
      if (end.type === 'failed') throw new FunctionFailure(stopping ? canceled : end);
      return { output: end.output, files: end.files };
    } finally {
      running = undefined;
    }
  }

  function takeReport({ text, cut }: Line): Promise<void> | undefined {
    const report = cut > 0 ? undefined : parseReport(text);
    if (!report) {
      running?.ending.resolve(unreadable);
      return;
    }
    if (report.type === 'log')
      return running?.intake.take({ at: report.at, stream: 'log', level: report.level, text: report.text });
    if (report.type === 'progress') {
      const { done, total, unit, message } = report;
      running?.hooks.onProgress({ done, total, unit, message });
    } else running?.ending.resolve(report);
  }

  function textTaker(stream: 'stdout' | 'stderr', level: LogLine['level']) {
    let blanks = 0;
    const pass = (text: string, cut: number) => running?.intake.take({ stream, level, text }, cut);
    const passAfterBlanks = async ({ text, cut }: Line): Promise<void> => {
      for (; blanks > 0; blanks--) await pass('', 0);
      await pass(text, cut);
    };
    return (line: Line): Promise<void> | undefined => {
      const { text, cut } = line;
      if (text === running?.mark) {
        // The child ends the last line before its mark, which makes a blank one of nothing.
        blanks = 0;
        running.unmarked.delete(stream);
        if (running.unmarked.size === 0) running.allMarked.resolve();
        return;
      }
      if (text === '') {
        blanks += 1;
        return;
      }
      if (stream === 'stderr' && text.includes('JavaScript heap out of memory')) outOfHeap = true;
      return blanks === 0 ? pass(text, cut) : passAfterBlanks(line);
    };
  }

  async function exitFailure(exit: Exit): Promise<FailureReport> {
    if (exceeded) return exceeded;
    if (outOfHeap && exit.signal === 'SIGABRT')
      return overLimit(
        `The function used more memory than ${limits.memoryMiB} MiB, which are allowed (memoryMiB)`,
      );
    const message = `The process of the function ${exitInWords(exit)}`;
    return unlessDiskIsFull({ code: 'process-exited', message, retryable: true, details: [] }, scratch);
  }

  async function kill(): Promise<Stopped> {
    stopping = true;
    if (running && !running.over) killed = true;
    // Not until its last lines are kept: whoever keeps them may be what is waiting for this.
    await group.kill();
    return killed ? 'killed' : 'stopped';
  }

  return {
    run,
    async stop(graceMs) {
      stopping = true;
      if (running && graceMs > 0) {
        child.send({ type: 'stop' });
        const enough = new AbortController();
        const grace = delay(graceMs, undefined, { signal: enough.signal }).catch(() => {});
        await Promise.race([running.ending.promise, grace]);
        enough.abort();
      }
      return kill();
    },
    pid: group.pid,
    get ended() {
      return ended;
    },
  };
}

const unreadable: Ending = {
  type: 'failed',
  code: 'output-invalid',
  message: 'The process of the function sent a report that cannot be read',
  retryable: false,
  details: [],
  last: false,
};
