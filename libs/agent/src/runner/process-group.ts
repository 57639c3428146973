import { setTimeout as delay } from 'node:timers/promises';
import type { ResultPromise } from 'execa';
import { isErrorLike } from './failure.ts';
import { livesIn } from './proc.ts';

/** How a process ended: an exit code, a signal, or an error that kept it from starting. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null; error?: Error };

/** A process that leads a group of its own, and all that it has started, unless that has left the group. */
export type ProcessGroup = {
  pid: number | undefined;
  /** The leader has ended. */
  exited: Promise<Exit>;
  signal: (name: NodeJS.Signals) => void;
  isGone: () => boolean;
  /** Resolves when nothing of the group is left, or after the time. */
  untilGone: (ms: number) => Promise<void>;
  /** Resolves when nothing of the group is left. */
  kill: () => Promise<void>;
};

const longestPauseMs = 100;
/** What is killed is gone within milliseconds, unless a device holds it. */
const killMs = 1_000;

/** `subprocess` was started with `detached`, `reject: false` and `buffer: false`. */
export function processGroup(subprocess: ResultPromise): ProcessGroup {
  const leader = subprocess.nodeChildProcess;
  const { pid } = leader;
  const exited = new Promise<Exit>((resolve) => {
    leader.once('exit', (code, signal) => resolve({ code, signal }));
    // Some failures to start are no event, but thrown, and then only the promise knows.
    if (pid === undefined)
      void subprocess.then((result) => resolve({ code: null, signal: null, error: errorOf(result) }));
  });
  let ended = false;
  let gone = pid === undefined;
  void exited.then(() => (ended = true));
  const signal = (name: NodeJS.Signals | 0): boolean => {
    // The number of a group that has gone may by now be that of another.
    if (gone || pid === undefined) return false;
    try {
      return process.kill(-pid, name);
    } catch (error) {
      // Another user's (EPERM) is there all the same.
      return !(isErrorLike(error) && 'code' in error && error.code === 'ESRCH');
    }
  };
  const isGone = () => (gone ||= !signal(0) || (ended && pid !== undefined && !livesIn(pid)));
  async function untilGone(ms: number): Promise<void> {
    const end = performance.now() + ms;
    for (let pause = 5; !isGone() && performance.now() < end; pause = Math.min(2 * pause, longestPauseMs))
      await delay(Math.min(pause, end - performance.now()));
  }
  async function kill(): Promise<void> {
    signal('SIGKILL');
    await Promise.all([exited, untilGone(killMs)]);
  }
  return { pid, exited, signal, isGone, untilGone, kill };
}

export function exitInWords({ code, signal, error }: Exit): string {
  if (error) return `could not be started: ${error.message}`;
  if (signal)
    return `was ended by signal ${signal}${signal === 'SIGKILL' ? ' (often: the system ran out of memory)' : ''}`;
  return `exited with code ${code}`;
}

function errorOf({ cause }: { cause?: unknown }): Error {
  return isErrorLike(cause) ? cause : new Error('for a reason that is not known');
}
