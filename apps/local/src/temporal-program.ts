import { execa } from 'execa';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** What builds the program from source where it cannot be had otherwise. */
export const temporalModule = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const leastServer = [1, 29] as const;

export type TemporalProgramOptions = {
  /** Folders to look for `temporal` (before the cache) and `go` in, as in the variable PATH. */
  path: string;
  cache: string;
  /** Told in plain words what is being tried, for steps that take long. */
  onStep?: (step: string) => void;
  downloadTimeoutMs?: number;
  signal?: AbortSignal;
};

/**
 * Finds the program `temporal` with a server of at least 1.29: on PATH, in the cache, by the Temporal SDK's own download,
 * or by building it with Go (about three minutes, once). Answers its path. Rejects with the remedies when all fail.
 */
export async function findTemporalProgram(options: TemporalProgramOptions): Promise<string> {
  const cached = join(options.cache, 'temporal');
  const tried: string[] = [];
  for (const candidate of [...foldersOf(options.path).map((folder) => join(folder, 'temporal')), cached]) {
    const version = await serverVersion(candidate);
    if (version !== undefined && isNewEnough(version)) return candidate;
    if (version !== undefined)
      tried.push(`${candidate} brings server ${version}, which is older than ${leastServer.join('.')}`);
  }
  const attempts = [
    { step: 'Downloading the Temporal server', get: download },
    { step: 'Building the Temporal server with Go (about three minutes, only this once)', get: build },
  ];
  for (const { step, get } of attempts) {
    options.onStep?.(step);
    const failure = await get(options, cached).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    options.signal?.throwIfAborted();
    if (failure === undefined) return cached;
    tried.push(`${step} failed: ${failure}`);
  }
  throw new Error(
    [
      'No Temporal server was found. One of these helps:',
      `  - install the program \`temporal\` (server ${leastServer.join('.')} or newer) and have it on PATH,`,
      `  - install Go, then start again: it builds ${temporalModule},`,
      '  - or set TEMPORAL_ADDRESS to a server that already runs.',
      'What was tried:',
      ...tried.map((line) => `  - ${line}`),
    ].join('\n'),
  );
}

/** The version of the server inside a `temporal` program ("1.29.1"), or undefined when there is no such program. */
export async function serverVersion(program: string): Promise<string | undefined> {
  const { stdout } = await execa(program, ['--version'], { reject: false, timeout: 20_000, stdin: 'ignore' });
  return /\(Server (\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1];
}

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > leastServer[0] || (major === leastServer[0] && minor >= leastServer[1]);
}

/** The SDK downloads to a folder and starts what it got; a process of its own, since such a download cannot be called off. */
async function download(options: TemporalProgramOptions, cached: string): Promise<void> {
  await intoCache(cached, async (folder) => {
    const { stdout } = await execa(
      process.execPath,
      [join(import.meta.dirname, 'temporal-download.ts'), folder],
      {
        timeout: options.downloadTimeoutMs ?? 30_000,
        cancelSignal: options.signal,
        killSignal: 'SIGKILL',
        stdin: 'ignore',
      },
    ).catch((error: unknown) => {
      throw new Error(shortReason(error), { cause: error });
    });
    return stdout.trim();
  });
}

async function build(options: TemporalProgramOptions, cached: string): Promise<void> {
  await intoCache(cached, async (folder) => {
    await execa('go', ['install', '-trimpath', temporalModule], {
      env: { GOBIN: folder, PATH: options.path },
      cancelSignal: options.signal,
      stdin: 'ignore',
    }).catch((error: unknown) => {
      throw new Error(shortReason(error), { cause: error });
    });
    return join(folder, 'temporal');
  });
}

/** Lets `get` put the program into a folder of its own, and moves it to its place when it is whole and new enough. */
async function intoCache(cached: string, get: (folder: string) => Promise<string>): Promise<void> {
  const cache = join(cached, '..');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'temporal-unfinished-'));
  try {
    const program = await get(folder);
    const version = await serverVersion(program);
    if (version === undefined) throw new Error('the program that came does not run here');
    if (!isNewEnough(version))
      throw new Error(`it brought server ${version}, which is older than ${leastServer.join('.')}`);
    await rename(program, cached);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function shortReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT') return 'there is no such program on PATH';
  if ('timedOut' in error && error.timedOut === true) return 'it took too long';
  const output = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : '';
  return (output === '' ? error.message : output).split('\n').slice(-3).join(' ').slice(0, 500);
}

function foldersOf(path: string): string[] {
  return path.split(delimiter).filter((folder) => folder !== '');
}
