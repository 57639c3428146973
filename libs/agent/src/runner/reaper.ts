import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';

const entry = fileURLToPath(new URL('./reaper-process.ts', import.meta.url));
const guarded = new Set<number>();
let input: { write: (text: string) => unknown } | undefined;

/**
 * Has a process group killed when this process dies, however it dies: a declared program has no watchdog in it. One process, started with
 * the first program, does so for all of them. Returns how to say that the group has gone.
 */
export function endWithAgent(group: number): () => void {
  guarded.add(group);
  tell(`+${group}\n`);
  return () => {
    guarded.delete(group);
    tell(`-${group}\n`);
  };
}

function tell(line: string): void {
  input ??= startReaper();
  input.write(line);
}

function startReaper(): { write: (text: string) => unknown } {
  const subprocess = execaNode(entry, [], {
    nodePath: process.execPath,
    nodeOptions: ['--max-old-space-size=16'],
    env: {},
    extendEnv: false,
    stdio: ['pipe', 'ignore', 'ignore'],
    ipc: false,
    // In a group of its own, so that what ends the agent's group leaves it its work.
    detached: true,
    cleanup: false,
    reject: false,
  });
  const { stdin } = subprocess;
  stdin.on('error', () => {});
  subprocess.nodeChildProcess.unref();
  void subprocess.then(() => (input = undefined));
  for (const group of guarded) stdin.write(`+${group}\n`);
  return stdin;
}
