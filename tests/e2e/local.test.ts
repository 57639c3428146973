import { afterAll, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../apps/local/src/folders.ts';
import { endLeftovers, notedPid } from '../../apps/local/src/ledger.ts';
import { placeForServers } from '../support/servers.ts';
import { waitFor } from '../support/wait.ts';
import { expectCompletedOnce } from './support/life.ts';
import { jobsClient, type JobsClient } from './support/jobs-client.ts';
import { type Program, startProgram } from './support/program.ts';

const place = await placeForServers();
const home = join(place.folder, 'home');
const runs: Program[] = [];

afterAll(async () => {
  for (const run of runs) {
    run.signal('SIGTERM');
    await run.exited;
  }
  await endLeftovers(join(home, 'run'), 5_000);
  await place.clean();
}, 60_000);

/** `npm start -- --no-example`, without npm. */
async function start(): Promise<{ run: Program; api: JobsClient }> {
  const anyPort = { PORT: '0', POSTGRES_PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0' };
  const env = { ...process.env, ...anyPort, PERDURE_HOME: home, AGENT_LEASE_SECONDS: '2' };
  const run = await startProgram({
    name: 'start',
    file: join(root, 'start.mjs'),
    args: ['--no-example'],
    env,
    runFolder: place.runFolder,
  });
  runs.push(run);
  await run.untilSays('Perdure serves');
  const url = /API +(http:\S+)/.exec(run.said())?.[1] ?? '';
  return { run, api: jobsClient(url, (await readFile(join(home, 'admin-key'), 'utf8')).trim()) };
}

test('a second start finds every job again, and goes on with those that a kill -9 cut off', async () => {
  const first = await start();
  const done = await first.api.submit({ function: 'echo', parameters: { keep: 'me' } });
  await expectCompletedOnce(first.api, done.id);
  const cut = await first.api.submit({ function: 'count', parameters: { to: 30, everyMs: 100 } });
  await first.api.until(cut.id, 'counting', ({ progress }) => (progress?.done ?? 0) > 0);
  const parent = await waitFor(() => notedPid(join(home, 'run'), 'local'), {
    what: 'the parent of all parts',
  });
  process.kill(parent, 'SIGKILL');
  await first.run.exited;

  const { api } = await start();
  expect((await api.list()).map(({ id }) => id)).toEqual([cut.id, done.id]);
  expect(await api.job(done.id)).toMatchObject({ status: 'COMPLETED', output: { echo: { keep: 'me' } } });
  await expectCompletedOnce(api, cut.id);
  expect(await api.job(cut.id)).toMatchObject({ output: { counted: 30 } });
}, 240_000);
