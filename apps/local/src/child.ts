import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { sendSignal } from './signals.ts';

export type ChildSpec = {
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  /** What asks this program to end in good order; SIGTERM when not said. */
  stopSignal?: NodeJS.Signals;
  /** Runs the program as this user (only root may). */
  user?: { uid: number; gid: number };
};

export type Exit = { code: number | null; signal: NodeJS.Signals | null };

export type Child = {
  readonly name: string;
  readonly pid: number;
  /** Settles when the process is gone, for whatever reason. */
  readonly exited: Promise<Exit>;
  running(): boolean;
  /** Asks the process to end, and after `graceMs` kills it and its group. Settles when it is gone. */
  stop(graceMs: number): Promise<Exit>;
};

/** The children that run, and what ends each. */
const alive = new Map<number, NodeJS.Signals>();

// The last resort, when this process ends otherwise than in order: nobody else would end them.
process.on('exit', () => {
  for (const [pid, signal] of alive) sendSignal(pid, signal);
});

/**
 * Starts a program as the leader of its own process group, so that a Ctrl-C in the terminal does not reach it behind our back.
 * Rejects when the program cannot be started at all.
 */
export async function startChild(spec: ChildSpec, onLine: (line: string) => void): Promise<Child> {
  const started = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...spec.user,
  });
  for (const stream of [started.stdout, started.stderr]) forEachLine(stream, onLine);
  const exited = new Promise<Exit>((settle) =>
    started.once('exit', (code, signal) => settle({ code, signal })),
  );
  const pid = await new Promise<number>((settle, fail) => {
    started.once('spawn', () => settle(started.pid ?? 0));
    started.once('error', (cause) =>
      fail(new Error(`${spec.name} cannot be started: ${cause.message}`, { cause })),
    );
  });
  const stopSignal = spec.stopSignal ?? 'SIGTERM';
  alive.set(pid, stopSignal);
  void exited.then(() => alive.delete(pid));
  const running = (): boolean => started.exitCode === null && started.signalCode === null;
  return {
    name: spec.name,
    pid,
    exited,
    running,
    async stop(graceMs) {
      if (!running()) return exited;
      sendSignal(pid, stopSignal);
      const killer = setTimeout(() => sendSignal(-pid, 'SIGKILL'), graceMs);
      return exited.finally(() => clearTimeout(killer));
    },
  };
}

/** "with code 1", "by signal SIGKILL": how a process ended, in words. */
export function howItEnded({ code, signal }: Exit): string {
  return signal === null ? `with code ${code}` : `by signal ${signal}`;
}

function forEachLine(stream: Readable, onLine: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
}
