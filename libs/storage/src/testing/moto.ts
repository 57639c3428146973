import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { virtualEnvironment } from '../../../../tests/support/python.ts';

const requirements = fileURLToPath(new URL('./moto-requirements.txt', import.meta.url));

/** Ends itself when its parent is gone: then its standard input ends. */
const program = `
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(['-H', '127.0.0.1', '-p', '0'])
`;

export type Moto = { endpoint: string; stop(): Promise<void> };

/** Starts an S3 server on a free port of the loopback address. The first start on a machine makes a virtual environment for it. */
export async function startMoto(): Promise<Moto> {
  const python = join(await virtualEnvironment(requirements), 'bin', 'python');
  const server = spawn(python, ['-c', program], { stdio: ['pipe', 'ignore', 'pipe'] });
  const endpoint = await addressOf(server);
  return {
    endpoint,
    stop: async () => {
      if (server.exitCode !== null) return;
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    },
  };
}

async function addressOf(server: ChildProcess): Promise<string> {
  if (server.stderr === null) throw new TypeError('moto has no standard error');
  const said: string[] = [];
  for await (const line of createInterface({ input: server.stderr })) {
    said.push(line);
    const endpoint = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
    // The rest of its log has no reader, and must not fill the pipe.
    if (endpoint) return (server.stderr.resume(), endpoint);
  }
  throw new Error(`moto did not start:\n${said.join('\n')}`);
}
