import { readEnvironment } from '@perdure/config/environment';
import { searchAttributeNames } from '@perdure/workflows/search-attributes';
import { execa } from 'execa';
import { type Child, howItEnded, startChild } from './child.ts';
import { noteProcess } from './ledger.ts';

export type TemporalServerOptions = {
  /** Path of the program `temporal` (see temporal-program.ts). */
  program: string;
  port: number;
  /** Without it there is no UI. */
  uiPort?: number;
  /** Where the server keeps its state; in memory when not said. */
  databaseFile?: string;
  /** Made at the start when it does not exist. `default` always does. */
  namespace?: string;
  runFolder?: string;
  /** Gives up waiting for the server, and ends it. */
  signal?: AbortSignal;
  onLine?: (line: string) => void;
};

export type TemporalServer = {
  readonly child: Child;
  readonly address: string;
  stop(graceMs?: number): Promise<void>;
};

/**
 * One partition a queue and frequent queue reads: a single small server answers several times faster so. The matcher flags
 * switch on priority and fairness, which server 1.29 leaves off. Every claim queue of every agent is an open poll; 1200 would be the limit.
 */
const dynamicConfig: Record<string, string> = {
  'matching.numTaskqueueReadPartitions': '1',
  'matching.numTaskqueueWritePartitions': '1',
  'matching.useNewMatcher': 'true',
  'matching.enableFairness': 'true',
  'frontend.namespaceCount': '20000',
  'history.transferProcessorMaxPollRPS': '1000',
  'history.timerProcessorMaxPollRPS': '1000',
  'history.visibilityProcessorMaxPollRPS': '1000',
};

/** Starts a Temporal dev server on 127.0.0.1 and waits until it serves. Rejects with the server's own words when it does not come up. */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const address = `127.0.0.1:${options.port}`;
  const lines: string[] = [];
  const child = await startChild(
    {
      name: 'temporal',
      command: options.program,
      args: serverArguments(options),
      env: withoutTemporalSettings(),
    },
    (line) => {
      lines.push(line);
      if (lines.length > 20) lines.shift();
      options.onLine?.(line);
    },
  );
  if (options.runFolder !== undefined) await noteProcess(options.runFolder, 'temporal', child.pid);
  if (!(await serves(options.program, address, child, options.signal))) {
    const exit = await child.stop(1_000);
    throw new Error(
      `The Temporal server ended ${howItEnded(exit)} before it was ready:\n${lines.join('\n')}`,
    );
  }
  return { child, address, stop: async (graceMs = 5_000) => void (await child.stop(graceMs)) };
}

function serverArguments(options: TemporalServerOptions): string[] {
  return [
    'server',
    'start-dev',
    '--ip=127.0.0.1',
    `--port=${options.port}`,
    options.uiPort === undefined ? '--headless' : `--ui-port=${options.uiPort}`,
    '--color=never',
    ...(options.namespace === undefined || options.namespace === 'default'
      ? []
      : [`--namespace=${options.namespace}`]),
    ...(options.databaseFile === undefined
      ? []
      : [
          `--db-filename=${options.databaseFile}`,
          '--sqlite-pragma=journal_mode=wal',
          '--sqlite-pragma=synchronous=full',
        ]),
    ...searchAttributeNames.map((name) => `--search-attribute=${name}=Keyword`),
    ...Object.entries(dynamicConfig).map(([key, value]) => `--dynamic-config-value=${key}=${value}`),
  ];
}

async function serves(
  program: string,
  address: string,
  child: Child,
  signal?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + 60_000;
  while (child.running() && !signal?.aborted && performance.now() < deadline) {
    const health = execa(
      program,
      ['operator', 'cluster', 'health', `--address=${address}`, '--command-timeout=2s'],
      {
        reject: false,
        stdin: 'ignore',
        env: withoutTemporalSettings(),
        extendEnv: false,
      },
    );
    const answered = await Promise.race([health, child.exited]);
    if ('stdout' in answered && answered.exitCode === 0 && /SERVING/.test(String(answered.stdout)))
      return true;
  }
  return false;
}

/** The program reads TEMPORAL_* itself (address, TLS, API key); those that are set for another server would lead it astray. */
function withoutTemporalSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(readEnvironment()).filter(([name]) => !name.startsWith('TEMPORAL_')),
  );
}
