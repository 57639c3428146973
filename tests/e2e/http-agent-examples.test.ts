import { expect } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../apps/local/src/folders.ts';
import { type Api, house, type House } from './support/house.ts';
import { expectCompletedOnce } from './support/life.ts';
import type { Program } from './support/program.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api] = await Promise.all([here.startApi(), here.startOrchestrator()]);
});

/** Starts an example as its first lines say; all it gets is the address and the folder with the admin key. */
async function startExample(
  file: string,
  command: string,
  settings: Record<string, string> = {},
): Promise<Program> {
  const home = join(await here.file('admin-key', api.key), '..');
  const agent = await here.startProgram(file, command, join(root, 'examples', 'http-agent', file), {
    PERDURE_URL: api.url,
    PERDURE_HOME: home,
    ...settings,
  });
  await agent.untilSays('waits for jobs');
  return agent;
}

const counting = (text: string) => ({ function: 'count-words', parameters: { text } });

scenario('the agent in Python serves its function, and another takes over when it is killed', async () => {
  const first = await startExample('agent.py', 'python3', {
    AGENT_ID: 'python-1',
    LEASE_SECONDS: '2',
    SECONDS_PER_WORD: '0.2',
  });
  const short = await api.submit(counting('to be or not to be'));
  await expectCompletedOnce(api, short.id);
  expect(await api.job(short.id)).toMatchObject({ output: { words: 6 }, files: [{ name: 'words.txt' }] });
  expect((await api.logs(short.id)).map(({ text }) => text)).toEqual(['to', 'be', 'or', 'not', 'to', 'be']);

  const long = await api.submit(counting(Array.from({ length: 30 }, (_, index) => `w${index}`).join(' ')));
  await api.until(long.id, 'counting', ({ progress }) => (progress?.done ?? 0) >= 2);
  await first.kill();
  const second = await startExample('agent.py', 'python3', { AGENT_ID: 'python-2', LEASE_SECONDS: '2' });
  await expectCompletedOnce(api, long.id);
  expect(await api.job(long.id)).toMatchObject({ agentId: 'python-2', attempt: 2, output: { words: 30 } });
  second.signal('SIGTERM');
  expect(await second.exited).toEqual({ code: 0, signal: null });
});

scenario('the agent in Python stops when its job is canceled, and goes on with the next', async () => {
  const agent = await startExample('agent.py', 'python3', {
    AGENT_ID: 'python-3',
    LEASE_SECONDS: '2',
    SECONDS_PER_WORD: '0.5',
  });
  const { id } = await api.submit(counting('a b c d e f g h i j k l m n o p q r s t u v w x y z'));
  await api.running(id);
  await api.cancel(id, { graceSeconds: 20 });
  expect(await api.ended(id)).toMatchObject({ status: 'CANCELED', cancelForced: false });
  const next = await api.submit(counting('done'));
  expect(await api.ended(next.id)).toMatchObject({ status: 'COMPLETED', agentId: 'python-3' });
  expect(agent.running()).toBe(true);
});

scenario('the agent in shell serves its function', async () => {
  execFileSync('curl', ['--version']);
  await startExample('agent.sh', 'sh', { AGENT_ID: 'shell-1' });
  const path = join(root, 'examples', 'diabetes', 'score.csv');
  const { id } = await api.submit({ function: 'checksum', parameters: { file: await api.upload({ path }) } });
  await expectCompletedOnce(api, id);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  expect(await api.job(id)).toMatchObject({ output: { sha256 } });
});
