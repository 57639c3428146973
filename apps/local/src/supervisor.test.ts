import { afterEach, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../../tests/support/wait.ts';
import { type Child, startChild } from './child.ts';
import { endLeftovers, noteProcess, notedPid } from './ledger.ts';
import { identityOf } from './process-identity.ts';
import { type RestartPolicy, type Supervised, supervise } from './supervisor.ts';

const quick: RestartPolicy = { atMost: 2, withinMs: 60_000, firstDelayMs: 10, longestDelayMs: 20 };
const toStop: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(toStop.splice(0).map((stop) => stop()));
});

/** A real process that runs this JavaScript. */
async function aChild(script: string, lines: string[] = []): Promise<Child> {
  const spec = { name: 'child', command: process.execPath, args: ['-e', script], env: {} };
  const child = await startChild(spec, (line) => lines.push(line));
  toStop.push(() => child.stop(0));
  return child;
}

async function supervised(script: string, said: string[], policy = quick): Promise<Supervised> {
  const service = { name: 'helper', graceMs: 300, start: () => aChild(script) };
  const one = await supervise(service, (text) => said.push(text), policy);
  toStop.push(() => one.stop());
  return one;
}

const forever = 'setInterval(() => {}, 1000)';
const stubborn = `process.on('SIGTERM', () => console.log('no')); console.log('ready'); ${forever}`;

test('a child is asked to end, and a stubborn one killed after its grace time', async () => {
  const polite = await aChild(forever);
  expect(await polite.stop(5_000)).toEqual({ code: null, signal: 'SIGTERM' });
  const lines: string[] = [];
  const deaf = await aChild(stubborn, lines);
  await waitFor(() => lines.includes('ready'), { what: 'the child to be ready' });
  expect(await deaf.stop(200)).toEqual({ code: null, signal: 'SIGKILL' });
  expect(lines).toContain('no');
});

test('killing a child takes its own children along', async () => {
  const lines: string[] = [];
  const child = await aChild(
    `const { pid } = require('child_process').spawn('/bin/sleep', ['60']); console.log(pid); ${stubborn}`,
    lines,
  );
  await waitFor(() => lines.includes('ready'), { what: 'the child to be ready' });
  await child.stop(50);
  await waitFor(async () => (await identityOf(Number(lines[0]))) === undefined, {
    what: 'the grandchild to be gone',
  });
});

test('a parent that ends without a word takes its children along', async () => {
  const module = join(import.meta.dirname, 'child.ts');
  const script = `import { startChild } from ${JSON.stringify(module)};
    const spec = { name: 'child', command: '/bin/sleep', args: ['60'], env: {} };
    console.log((await startChild(spec, () => undefined)).pid);
    setTimeout(() => { throw new Error('unforeseen') }, 50);`;
  const lines: string[] = [];
  const args = ['--input-type=module', '-e', script];
  const parent = await startChild({ name: 'parent', command: process.execPath, args, env: {} }, (line) =>
    lines.push(line),
  );
  expect(await parent.exited).toEqual({ code: 1, signal: null });
  await waitFor(async () => (await identityOf(Number(lines[0]))) === undefined, {
    what: 'the child to be gone',
  });
});

test('a program that does not exist is named', async () => {
  const spec = { name: 'ghost', command: '/nowhere/ghost', args: [], env: {} };
  await expect(startChild(spec, () => undefined)).rejects.toThrow(/^ghost cannot be started: .*ENOENT/);
});

test('a service that dies is named and started again', async () => {
  const said: string[] = [];
  const service = await supervised(forever, said);
  const first = service.pid();
  process.kill(first, 'SIGKILL');
  await waitFor(() => service.pid() !== first, { what: 'another process' });
  expect(said).toEqual([
    'helper ended by signal SIGKILL. It is started again in 0.01 s (1 of at most 2 times).',
  ]);
  await service.stop();
  expect(await identityOf(service.pid())).toBeUndefined();
});

test('a service that keeps dying is given up, with its name and its end', async () => {
  const said: string[] = [];
  const service = await supervised('process.exit(3)', said);
  expect((await service.gaveUp).message).toBe('helper ended with code 3, for the 3rd time within 60 s');
  expect(said).toHaveLength(2);
});

test('a start that fails again and again is given up too, and a stop in the pause ends it', async () => {
  let starts = 0;
  const start = async (): Promise<Child> => {
    starts += 1;
    if (starts > 1) throw new Error('no port');
    return aChild('process.exit(1)');
  };
  const said: string[] = [];
  const service = await supervise({ name: 'helper', graceMs: 100, start }, (text) => said.push(text), quick);
  await service.gaveUp;
  expect(said).toContain('helper cannot be started again: no port');

  const patient = await supervised('process.exit(1)', [], {
    ...quick,
    firstDelayMs: 60_000,
    longestDelayMs: 60_000,
  });
  await waitFor(async () => (await identityOf(patient.pid())) === undefined, { what: 'the process to end' });
  await patient.stop();
});

test('what a killed parent left running is found by its note, and a stranger with the same pid is let alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-ledger-'));
  toStop.push(() => rm(folder, { recursive: true }));
  const child = await aChild(forever);
  await noteProcess(folder, 'helper', child.pid);
  expect(await notedPid(folder, 'helper')).toBe(child.pid);
  expect(await endLeftovers(folder, 2_000)).toEqual(['helper']);
  expect(child.running() && (await identityOf(child.pid))).toBeFalsy();

  const stranger = await aChild(forever);
  await noteProcess(folder, 'helper', stranger.pid);
  const note = join(folder, 'helper.json');
  await writeFile(
    note,
    (await readFile(note, 'utf8')).replace(/"identity":"[^"]*"/, '"identity":"another life"'),
  );
  expect(await notedPid(folder, 'helper')).toBeUndefined();
  expect(await endLeftovers(folder, 2_000)).toEqual([]);
  expect(stranger.running()).toBe(true);
});
