import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Exit, startChild } from './child-process.ts';
import type {
  Hooks,
  LogLine,
  Runner,
  SessionOptions,
  StageInput,
  StageName,
  StageResult,
} from './contract.ts';
import { canceled, type FailureReport, FunctionFailure } from './failure.ts';
import { type LogIntake, logIntake, logLimits, now } from './log-intake.ts';
import { type Line, linesOf } from './lines.ts';
import { parseReport, type Report } from './protocol.ts';

/** A report is at most the output (1 MiB), with what JSON makes of it. */
const maxReportLength = 16 * 1024 * 1024;
/** How long the last lines are waited for when nothing comes any more. */
const quietMs = 1_000;

type Ending = Extract<Report, { type: 'done' | 'failed' }>;
type Running = {
  hooks: Hooks;
  intake: LogIntake;
  mark: string;
  /** stdout and stderr, until their mark has come. */
  unmarked: Set<LogLine['stream']>;
  allMarked: PromiseWithResolvers<void>;
  ending: PromiseWithResolvers<Ending | Exit>;
};

/** Runs a function in a child process of its own. */
export function processRunner({ pack, scratch, env, functionName, functionVersion }: SessionOptions): Runner {
  const child = startChild(pack, scratch, env);
  let running: Running | undefined;
  let stopping = false;
  let ended = false;
  /** Lines that are being handed on at this moment, and those that ever came. */
  let handing = 0;
  let came = 0;

  const pumps = Promise.all([
    pump(child.stdout, logLimits.lineLength, textTaker('stdout', 'info')),
    pump(child.stderr, logLimits.lineLength, textTaker('stderr', 'warn')),
    pump(child.reports, maxReportLength, takeReport),
  ]);
  const gone = child.exited.then(async (exit) => {
    ended = true;
    // Something that has left the process group may hold the pipes open for ever.
    await Promise.race([pumps, untilQuiet()]);
    for (const stream of [child.stdout, child.stderr, child.reports]) stream.destroy();
    return exit;
  });

  async function run(stage: StageName, input: StageInput, hooks: Hooks): Promise<StageResult> {
    if (running) throw new Error('a session runs one stage at a time');
    if (stopping) throw new FunctionFailure(canceled);
    const mark = randomUUID();
    running = {
      hooks,
      mark,
      intake: logIntake(hooks.onLog),
      unmarked: new Set(['stdout', 'stderr']),
      allMarked: Promise.withResolvers(),
      ending: Promise.withResolvers(),
    };
    const { ending, allMarked, intake } = running;
    child.send({ type: 'stage', stage, functionName, functionVersion, scratch, mark, ...input });
    void gone.then((exit) => {
      ending.resolve(exit);
      allMarked.resolve();
    });
    try {
      const end = await ending.promise;
      await Promise.race([allMarked.promise, untilQuiet()]);
      await intake.finish();
      if (!('type' in end)) throw new FunctionFailure(stopping ? canceled : exitFailure(end));
      // What comes next must find a new process, not one that is about to end.
      if (end.type === 'failed' && end.last) await child.exited;
      if (end.type === 'failed') throw new FunctionFailure(stopping ? canceled : end);
      return { output: end.output, files: end.files };
    } finally {
      running = undefined;
    }
  }

  function takeReport({ text, cut }: Line): Promise<void> | void {
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
    return async ({ text, cut }: Line): Promise<void> => {
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
      for (; blanks > 0; blanks--) await running?.intake.take({ at: now(), stream, level, text: '' });
      await running?.intake.take({ at: now(), stream, level, text }, cut);
    };
  }

  async function pump(
    stream: AsyncIterable<string>,
    maxLength: number,
    take: (line: Line) => Promise<void> | void,
  ): Promise<void> {
    try {
      for await (const line of linesOf(stream, maxLength)) {
        handing += 1;
        came += 1;
        try {
          await take(line);
        } finally {
          handing -= 1;
        }
      }
    } catch {
      // The pipe was closed with the process.
    }
  }

  async function untilQuiet(): Promise<void> {
    let before: number;
    do {
      before = came;
      await delay(quietMs, undefined, { ref: false });
    } while (handing > 0 || came > before);
  }

  async function kill(): Promise<void> {
    stopping = true;
    child.killGroup();
    // Not until its last lines are kept: whoever keeps them may be what is waiting for this.
    await child.exited;
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
      await kill();
    },
    kill,
    pid: child.pid,
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

function exitFailure({ code, signal, error }: Exit): FailureReport {
  const how = error
    ? `could not be started: ${error.message}`
    : signal
      ? `was ended by signal ${signal}${signal === 'SIGKILL' ? ' (often: the system ran out of memory)' : ''}`
      : `exited with code ${code}`;
  return {
    code: 'process-exited',
    message: `The process of the function ${how}`,
    retryable: true,
    details: [],
  };
}
