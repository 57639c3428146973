import { readdir, readFile } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import { type Exit, startChild } from '../../../apps/local/src/child.ts';
import { noteProcess } from '../../../apps/local/src/ledger.ts';
import { isAlive } from '../../support/alive.ts';
import { waitFor } from '../../support/wait.ts';

/** So many of the newest lines are shown when a test fails. */
const shownLines = 150;

/** One real process of the system under test. */
export type Program = {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  running(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** kill -9, and waits until it is gone. Fine for one that has ended. */
  kill(): Promise<void>;
  /** Resolves once it has written this; rejects when it ends before. */
  untilSays(text: string): Promise<void>;
  said(): string;
  /** All that it has written. */
  everything(): string;
};

export type ProgramSpec = {
  name: string;
  file: string;
  args?: readonly string[];
  env: NodeJS.ProcessEnv;
  runFolder: string;
  /** What runs the file, where it is not this Node. */
  program?: string;
  /** A command that ends by executing what follows it. */
  prefix?: readonly string[];
};

/** Starts a file with this Node, in a process group of its own, noted so that a later run of the tests finds it should this one be killed. */
export async function startProgram({
  name,
  file,
  args = [],
  env,
  runFolder,
  program,
  prefix = [],
}: ProgramSpec): Promise<Program> {
  const runner = program === undefined ? [process.execPath, '--enable-source-maps'] : [program];
  const [command = '', ...rest] = [...prefix, ...runner, file, ...args];
  const lines: string[] = [];
  const seen = new Set<string>();
  const wanted: { text: string; settle: () => void }[] = [];
  const take = (line: string): void => {
    lines.push(line);
    for (const one of wanted) if (line.includes(one.text)) one.settle();
    if (line.length < 1_000) seen.add(line);
  };
  const child = await startChild({ name, command, args: rest, env }, take);
  await noteProcess(runFolder, `${name}-${child.pid}`, child.pid);
  const said = (): string =>
    `--- ${name} (${child.pid})\n${stripVTControlCharacters(lines.slice(-shownLines).join('\n'))}`;
  return {
    name,
    pid: child.pid,
    exited: child.exited,
    running: child.running,
    signal: (signal) => void (child.running() && process.kill(child.pid, signal)),
    async kill() {
      if (child.running()) process.kill(child.pid, 'SIGKILL');
      await child.exited;
    },
    async untilSays(text) {
      const heard = new Promise<void>((settle) => wanted.push({ text, settle }));
      if ([...seen].some((line) => line.includes(text))) return;
      const ended = await Promise.race([heard, child.exited]);
      if (ended !== undefined) throw new Error(`${name} ended before it said "${text}"\n${said()}`);
    },
    said,
    everything: () => lines.join('\n'),
  };
}

/** The process in which the agent runs a function; waits until there is exactly one. */
export async function functionProcessOf(agent: Program): Promise<number> {
  return waitFor(
    async () => {
      const [pid, ...others] = await childrenOf(agent.pid);
      return others.length === 0 ? pid : undefined;
    },
    { what: `one function process of ${agent.name}` },
  );
}

export async function untilGone(pid: number): Promise<void> {
  const gone = async (): Promise<boolean> => !(await isAlive(pid));
  await waitFor(gone, { what: `process ${pid} to be gone`, timeoutMs: 15_000 });
}

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  const parents = pids.map(async (pid) => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // The program's name, in brackets, may hold spaces; the state and the parent follow it.
    const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state !== 'Z' && Number(ppid) === parent ? [pid] : [];
  });
  return (await Promise.all(parents)).flat();
}
