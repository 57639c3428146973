import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { root } from '../../../apps/local/src/folders.ts';

export type Ran = { code: number | null; stdout: string; stderr: string };

/** The command `perdure`, with an environment of its own. */
export function cli(settings: { url?: string; key?: string; home: string }) {
  const env = {
    PATH: process.env['PATH'],
    XDG_CONFIG_HOME: settings.home,
    ...(settings.url === undefined ? {} : { PERDURE_URL: settings.url }),
    ...(settings.key === undefined ? {} : { PERDURE_TOKEN: settings.key }),
  };

  function start(args: string[], input = '') {
    const child = spawn(process.execPath, [join(root, 'apps/cli/src/main.ts'), ...args], { env });
    child.stdin.end(input);
    const heard = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (some: string) => void (heard[name] += some));
    }
    const ended = once(child, 'close').then(([code]): Ran => ({ code, ...heard }));
    return { child, heard, ended };
  }

  const run = (...args: string[]): Promise<Ran> => start(args).ended;
  return {
    start: (...args: string[]) => start(args),
    run,
    runWith: (input: string, ...args: string[]): Promise<Ran> => start(args, input).ended,
    /** On a terminal, 120 columns wide: what stands there, and what is typed. */
    terminal(...args: string[]) {
      const words = [process.execPath, join(root, 'apps/cli/src/main.ts'), ...args];
      const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
      const child = spawn('script', ['-qfec', `stty cols 120; exec ${quoted}`, '/dev/null'], {
        env: { ...env, TERM: 'xterm-256color', SHELL: '/bin/sh' },
      });
      const seen = { text: '' };
      child.stdout.setEncoding('utf8').on('data', (some: string) => void (seen.text += some));
      const ended = once(child, 'close').then(([code]): number | null => code);
      return { seen, type: (text: string) => void child.stdin.write(text), ended };
    },
    /** Through a shell in which it is called `perdure`. */
    async shell(script: string): Promise<Ran> {
      const called = `perdure() { '${process.execPath}' '${join(root, 'apps/cli/src/main.ts')}' "$@"; }`;
      const child = spawn('bash', ['--norc', '-c', `set -o pipefail; ${called}; ${script}`], { env });
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ]);
      return { code, stdout, stderr };
    },
    async json<T>(...args: string[]): Promise<T> {
      const { code, stdout, stderr } = await run(...args, '--json');
      if (code !== 0) throw new Error(`perdure ${args.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout) as T;
    },
  };
}
