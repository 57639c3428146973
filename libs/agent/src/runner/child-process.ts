import { fileURLToPath } from 'node:url';
import type { Readable } from 'node:stream';
import { execaNode } from 'execa';
import { type ChildArgument, reportDescriptor, type Request } from './protocol.ts';

const entry = fileURLToPath(new URL('./child.ts', import.meta.url));
const defaultEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
};

/** How a process ended: an exit code, a signal, or an error that kept it from starting. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null; error?: Error };

export type ChildProcess = {
  pid: number | undefined;
  stdout: Readable;
  stderr: Readable;
  /** Lines of JSON; see `Report`. */
  reports: Readable;
  send: (request: Request) => void;
  exited: Promise<Exit>;
  /** Kills the process and all that it has started, unless they have left its process group. */
  killGroup: () => void;
};

/** Starts the process of a session: the leader of a process group of its own, without the agent's environment. */
export function startChild(
  pack: string,
  scratch: string,
  env: Record<string, string> = defaultEnvironment,
): ChildProcess {
  const argument: ChildArgument = { agentPid: process.pid, pack };
  const subprocess = execaNode(entry, [JSON.stringify(argument)], {
    nodePath: process.execPath,
    nodeOptions: [],
    cwd: scratch,
    env: { ...env, TMPDIR: scratch },
    extendEnv: false,
    ipc: true,
    serialization: 'json',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    buffer: false,
    detached: true,
    // Its own watchdog ends it with the agent, and the session before that.
    cleanup: false,
    reject: false,
  });
  const child = subprocess.nodeChildProcess;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
  });
  const killGroup = () => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // ESRCH: none of the group is left.
    }
  };
  // What the function started must not outlive it.
  void exited.then(killGroup);
  return {
    pid: child.pid,
    stdout: subprocess.stdout.setEncoding('utf8'),
    stderr: subprocess.stderr.setEncoding('utf8'),
    reports: readable(child.stdio[reportDescriptor]).setEncoding('utf8'),
    // A process that is going away tells so by its exit.
    send: (request) => void (child.connected && child.send(request, () => {})),
    exited,
    killGroup,
  };
}

function readable(stream: unknown): Readable {
  if (stream === null || typeof stream !== 'object' || !('setEncoding' in stream))
    throw new Error('the report pipe is missing');
  return stream as Readable;
}
