import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { aFolder } from '../../../tests/support/folder.ts';
import { waitFor } from '../../../tests/support/wait.ts';
import { root } from './folders.ts';
import { endLeftovers } from './ledger.ts';
import { identityOf } from './process-identity.ts';

const anyPort = { PORT: '0', POSTGRES_PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0' };
const minutes = 60_000;

let folder: Awaited<ReturnType<typeof aFolder>>;
let home: string;
const started: ChildProcess[] = [];

beforeEach(async () => {
  folder = await aFolder('local');
  home = join(folder.path, 'home');
});

afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await endLeftovers(join(home, 'run'), 5_000);
  await folder.remove();
});

type Run = { process: ChildProcess; text(): string; exit: Promise<number | null> };

/** `npm start` without npm: start.mjs on this Node. */
function start(args: readonly string[], settings: Record<string, string> = {}): Run {
  const env = { ...process.env, PERDURE_HOME: home, ...anyPort, ...settings };
  const child = spawn(process.execPath, [join(root, 'start.mjs'), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  const exit = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null));
  return { process: child, text: () => stripVTControlCharacters(text), exit };
}

/** Waits until `text` was said; fails with all that was said when the process ends before. */
async function untilSaid(run: Run, text: string): Promise<void> {
  await waitFor(
    () => {
      if (run.text().includes(text)) return true;
      if (run.process.exitCode !== null)
        throw new Error(`It ended with code ${run.process.exitCode}:\n${run.text()}`);
      return false;
    },
    { what: `"${text}"`, timeoutMs: 2 * minutes },
  );
}

/** The pids of the running parts, by name. */
async function parts(): Promise<Record<string, number>> {
  const names = (await readdir(join(home, 'run'))).map((file) => file.replace(/\.json$/, ''));
  const pids = names.map(async (name) => [
    name,
    JSON.parse(await readFile(join(home, 'run', `${name}.json`), 'utf8')).pid,
  ]);
  return Object.fromEntries(await Promise.all(pids));
}

async function stillRunning(pids: number[]): Promise<number[]> {
  const running = await Promise.all(
    pids.map(async (pid) => ((await identityOf(pid)) === undefined ? [] : [pid])),
  );
  return running.flat();
}

test('a port that is taken ends the start with a message that names it and its variable', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const run = start([], { TEMPORAL_UI_PORT: String(port) });
  expect(await run.exit).toBe(1);
  expect(run.text()).toContain(
    `Port ${port} for the Temporal UI is taken by another program. Set TEMPORAL_UI_PORT`,
  );
  server.close();
});

test('a reader of the output that goes away, as head does, ends everything in order', async () => {
  const run = start(['--no-example']);
  run.process.stdout?.destroy();
  expect(await run.exit).toBe(0);
  expect(await readdir(home)).not.toContain('run');
});

test('wrong arguments and wrong variables end it with what is right', async () => {
  const [args, variables] = [start(['--onec']), start([], { PORT: 'http' })];
  expect([await args.exit, await variables.exit]).toEqual([1, 1]);
  expect(args.text()).toContain('--no-example');
  expect(variables.text()).toContain("PORT is 'http'");
});

test(
  'the example runs to COMPLETED, its rows are shown, and --once ends everything with code 0',
  async () => {
    const run = start(['--once']);
    await untilSaid(run, 'Perdure is up');
    const running = await parts();
    expect(await run.exit).toBe(0);
    const text = run.text();
    for (const status of [
      'CREATED',
      'PENDING',
      'CLAIMED',
      'VALIDATING',
      'RUNNING',
      'UPLOADING',
      'COMPLETED',
    ]) {
      expect(text).toMatch(new RegExp(`\\d\\d:\\d\\d:\\d\\d\\.\\d{3} {2}${status}`));
    }
    expect(text).toMatch(/row_id,prediction/);
    expect(text).not.toMatch(/by hand|[^\S\n]$/m);
    expect(text).toMatch(/API docs {3,}http:\/\/127\.0\.0\.1:\d+\/docs/);
    expect(Object.keys(running).sort()).toEqual([
      'agent',
      'api',
      'local',
      'orchestrator',
      'postgres',
      'temporal',
    ]);
    expect(await stillRunning(Object.values(running))).toEqual([]);
    expect((await stat(join(home, 'admin-key'))).mode & 0o777).toBe(0o600);
  },
  4 * minutes,
);

test(
  'the commands that the example prints do the same when they are pasted',
  async () => {
    const run = start([]);
    await untilSaid(run, 'Perdure serves');
    const [, commands = ''] = /The same by hand:\n([^]*?)\n\n/.exec(run.text()) ?? [];
    const { stdout } = await promisify(execFile)('bash', ['-euc', commands], { cwd: root });
    expect(stdout).toMatch(/"status":"COMPLETED"[^]*row_id,prediction[^]*\n0,benign,/);
    run.process.kill('SIGTERM');
    expect(await run.exit).toBe(0);
  },
  4 * minutes,
);

test(
  'a start recovers from a kill -9 of the one before it, and Ctrl-C, however often it comes, ends all parts within ten seconds',
  async () => {
    const first = start(['--no-example']);
    await untilSaid(first, 'Perdure serves');
    const before = await parts();
    const rival = start(['--no-example']);
    expect(await rival.exit).toBe(1);
    expect(rival.text()).toContain(`(process ${before['local']})`);

    // The parent of all parts first, so that it cannot end them in order; start.mjs ends with it.
    process.kill(before['local'] ?? 0, 'SIGKILL');
    expect(await first.exit).not.toBe(0);

    const second = start(['--no-example']);
    await untilSaid(second, 'Perdure serves');
    expect(second.text()).toMatch(/Ended what an earlier start had left running: .*postgres/);
    expect(await stillRunning(Object.values(before))).toEqual([]);
    const after = await parts();

    const asked = performance.now();
    for (const pid of [second.process.pid, after['local'], second.process.pid])
      process.kill(pid ?? 0, 'SIGINT');
    expect(await second.exit).toBe(0);
    expect(performance.now() - asked).toBeLessThan(10_000);
    expect(await stillRunning(Object.values(after))).toEqual([]);
    expect(await readdir(home)).not.toContain('run');
  },
  4 * minutes,
);

test(
  'a part that dies is named and started again, and the death of start.mjs ends all parts',
  async () => {
    const run = start(['--no-example']);
    await untilSaid(run, 'Perdure serves');
    const before = await parts();
    const killed = ['postgres', 'temporal', 'api', 'agent'];
    for (const name of killed) process.kill(before[name] ?? 0, 'SIGKILL');
    for (const name of killed) await untilSaid(run, `${name} ended by signal SIGKILL. It is started again`);
    const key = (await readFile(join(home, 'admin-key'), 'utf8')).trim();
    const url = /API +(http:\S+)/.exec(run.text())?.[1] ?? '';
    await waitFor(async () => (await fetch(`${url}/readyz`)).ok, {
      what: 'the API to be ready again',
      timeoutMs: minutes,
    });
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', prefer: 'wait=30' };
    const body = JSON.stringify({ function: 'echo', parameters: { still: 'here' } });
    const answer = await fetch(`${url}/v1/jobs`, { method: 'POST', headers, body });
    expect(await answer.json()).toMatchObject({ status: 'COMPLETED' });

    const pids = Object.values({ ...before, ...(await parts()) });
    run.process.kill('SIGKILL');
    await waitFor(async () => (await stillRunning(pids)).length === 0, {
      what: 'all parts to end',
      timeoutMs: 15_000,
    });
  },
  4 * minutes,
);
