import { fileURLToPath } from 'node:url';
import type { Readable } from 'node:stream';
import { defaultEnvironment } from '@perdure/functions';
import { execaNode } from 'execa';
import { type ProcessGroup, processGroup } from './process-group.ts';
import { type ChildArgument, reportDescriptor, type Request } from './protocol.ts';

const entry = fileURLToPath(new URL('./child.ts', import.meta.url));

export type ChildProcess = {
  group: ProcessGroup;
  stdout: Readable;
  stderr: Readable;
  /** Lines of JSON; see `Report`. */
  reports: Readable;
  send: (request: Request) => void;
};

type Options = { pack: string; scratch: string; heapMiB: number; env?: Record<string, string> };

/** Starts the process of a session: the leader of a process group of its own, without the agent's environment. */
export function startChild({ pack, scratch, heapMiB, env = defaultEnvironment }: Options): ChildProcess {
  const argument: ChildArgument = { agentPid: process.pid, pack };
  const subprocess = execaNode(entry, [JSON.stringify(argument)], {
    nodePath: process.execPath,
    // Without it the heap ends at 4 GiB at most, whatever the function may use.
    nodeOptions: [`--max-old-space-size=${heapMiB}`],
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
  const group = processGroup(subprocess);
  // What the function started must not outlive it.
  void group.exited.then(group.kill);
  return {
    group,
    stdout: subprocess.stdout.setEncoding('utf8'),
    stderr: subprocess.stderr.setEncoding('utf8'),
    reports: readable(child.stdio[reportDescriptor]).setEncoding('utf8'),
    // A process that is going away tells so by its exit.
    send: (request) => void (child.connected && child.send(request, () => {})),
  };
}

function readable(stream: unknown): Readable {
  if (stream === null || typeof stream !== 'object' || !('setEncoding' in stream))
    throw new Error('the report pipe is missing');
  return stream as Readable;
}
