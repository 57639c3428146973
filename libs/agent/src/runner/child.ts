/** The entry of a session's process: loads one pack, runs the stages that the agent asks for, and dies with the agent. */
import { writeSync } from 'node:fs';
import type { LogLevel } from '@perdure/functions';
import { loadPack } from '@perdure/functions/packs';
import type { ProgressReport } from './contract.ts';
import { failureFrom, isErrorLike, messageOf } from './failure.ts';
import { now } from './log-intake.ts';
import { offerToKernel } from './proc.ts';
import { type ChildArgument, type Report, reportDescriptor, type Request } from './protocol.ts';
import { runStage } from './stage.ts';
import { dieWith } from './watchdog.ts';

const { agentPid, pack } = JSON.parse(process.argv[2] ?? '') as ChildArgument;
dieWith(agentPid);
offerToKernel('self');

const stopped = new AbortController();
/** Longer lines would only be cut by the agent. */
const maxLogLength = 64 * 1024;

process.on('message', (request: Request) => {
  if (request.type === 'stop') return stopped.abort();
  void run(request);
});
process.on('uncaughtException', (error, origin) => {
  const what =
    origin === 'unhandledRejection'
      ? 'A promise was rejected and nobody handled it'
      : 'An error was thrown and nobody caught it';
  reportStack(error);
  giveUp(`${what}: ${messageOf(error)}`);
});
process.on('beforeExit', () =>
  giveUp('The function never came to an end: nothing was left that could have settled its promise'),
);

// Ahead of the first stage; what goes wrong is told by that.
loadPack(pack).catch(() => {});

async function run({
  stage,
  functionName,
  functionVersion,
  scratch,
  mark,
  ...input
}: Extract<Request, { type: 'stage' }>): Promise<void> {
  // While a function runs, its own doings keep the process alive, so that one that waits for nothing is noticed.
  process.channel?.unref();
  let ending: Report;
  try {
    const definition = (await loadPack(pack)).find(
      ({ name, version }) => name === functionName && version === functionVersion,
    );
    if (!definition) throw new Error(`the pack ${pack} has no function ${functionName}@${functionVersion}`);
    const log = (level: LogLevel, text: string) =>
      report({ type: 'log', at: now(), level, text: String(text).slice(0, maxLogLength) });
    const progress = (given: ProgressReport) => report({ type: 'progress', ...given });
    ending = {
      type: 'done',
      ...(await runStage(definition, stage, input, { scratch, signal: stopped.signal, log, progress })),
    };
  } catch (error) {
    const failure = failureFrom(error, { aborted: stopped.signal.aborted });
    if (failure.retryable) reportStack(error);
    ending = { type: 'failed', last: false, ...failure };
  }
  process.channel?.ref();
  process.stdout.write(`\n${mark}\n`);
  process.stderr.write(`\n${mark}\n`);
  report(ending);
}

function giveUp(message: string): void {
  report({
    type: 'failed',
    last: true,
    ...failureFrom(new Error(message), { aborted: stopped.signal.aborted }),
  });
  process.kill(-process.pid, 'SIGKILL');
}

/** Where an error that the function did not declare came from is for whoever mends the function. */
function reportStack(error: unknown): void {
  if (!isErrorLike(error) || error.name === 'PerdureError' || error.stack === undefined) return;
  for (const text of error.stack.split('\n').slice(0, 20))
    report({ type: 'log', at: now(), level: 'error', text });
}

function report(one: Report): void {
  const bytes = Buffer.from(`${JSON.stringify(one)}\n`);
  for (let at = 0; at < bytes.length;) at += writeSync(reportDescriptor, bytes, at);
}
