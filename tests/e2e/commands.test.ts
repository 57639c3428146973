import { expect } from '@jest/globals';
import { join } from 'node:path';
import { root } from '../../apps/local/src/folders.ts';
import { isAlive } from '../support/alive.ts';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import { expectCompletedOnce } from './support/life.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api] = await Promise.all([
    here.startApi(),
    here.startOrchestrator(),
    here.startAgent({ AGENT_CONFIG: join(root, 'examples', 'commands', 'agent.yaml') }),
  ]);
});

const score = join(root, 'examples', 'diabetes', 'score.csv');

scenario(
  'a program that the operator has declared summarises a CSV file, and says so as it goes',
  async () => {
    const data = await api.upload({ path: score });
    const { id } = await api.submit({ function: 'summarise-csv', parameters: { data } });
    await expectCompletedOnce(api, id);
    const summary = (await (await api.call('GET', `/v1/jobs/${id}/result`)).json()) as { rows: number };
    expect(summary).toMatchObject({ rows: 133, columns: expect.any(Object) });
    expect((await api.logs(id)).some(({ stream }) => stream === 'stdout')).toBe(true);
  },
);

scenario('what the schema of a program refuses is refused before there is a job', async () => {
  const data = await api.upload({ path: score });
  for (const parameters of [{}, { data, delimiter: '-x' }, { data, more: 1 }]) {
    const answer = await api.post('/v1/jobs', { function: 'summarise-csv', parameters });
    expect([answer.status, await answer.json()]).toMatchObject([422, { code: 'invalid-parameters' }]);
  }
});

scenario(
  'a value that would be an option, or a path elsewhere, fails the job and never reaches the program',
  async () => {
    const config = await here.file(
      'echoes.yaml',
      'commands: [{name: say, version: 1.0.0, description: Says, program: echo, args: ["{{text}}"], parameters: {type: object, properties: {text: {type: string}}}}]\n',
    );
    await here.startAgent({ AGENT_CONFIG: config });
    await waitFor(async () => (await api.call('GET', '/v1/functions/say/1.0.0')).ok, {
      what: 'the function',
    });
    for (const text of ['-n', '--help', '../../etc/passwd', '/etc/passwd', '..']) {
      const { id } = await api.submit({ function: 'say', parameters: { text } });
      const { status, error } = await api.ended(id);
      expect([text, status, error?.code]).toEqual([text, 'FAILED', 'invalid-parameters']);
      expect(error?.errors?.[0]?.pointer).toBe('/text');
      expect(await api.logs(id)).toEqual([]);
    }
    // Text for a shell is text: there is none.
    const { id } = await api.submit({ function: 'say', parameters: { text: '$(id); `id` && id | id' } });
    expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED' });
    expect((await api.logs(id)).map(({ text }) => text)).toEqual(['$(id); `id` && id | id']);
  },
);

scenario('a cancel ends the whole process group of a program', async () => {
  const script = await here.file(
    'family.sh',
    'trap "" TERM\n(trap "" TERM; sleep 600) &\necho $! $$\nwait\n',
  );
  const config = await here.file(
    'family.yaml',
    `commands: [{name: family, version: 1.0.0, description: Has children, program: sh, args: ["${script}"], parameters: {type: object, properties: {}}}]\n`,
  );
  await here.startAgent({ AGENT_CONFIG: config });
  await waitFor(async () => (await api.call('GET', '/v1/functions/family/1.0.0')).ok, {
    what: 'the function',
  });
  const { id } = await api.submit({ function: 'family', parameters: {} });
  const line = await waitFor(async () => (await api.logs(id))[0]?.text, { what: 'the pids' });
  const pids = line.split(' ').map(Number);
  expect(await Promise.all(pids.map(isAlive))).toEqual([true, true]);
  await api.cancel(id, { graceSeconds: 1 });
  expect(await api.ended(id)).toMatchObject({ status: 'CANCELED', cancelForced: true });
  expect(await Promise.all(pids.map(isAlive))).toEqual([false, false]);
});
