import { expect } from '@jest/globals';
import type { JsonObject } from '@perdure/job/json';
import { megabytesOf } from '../support/alive.ts';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import type { Program } from './support/program.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;
let agent: Program;

const odd = new URL('../fixtures/functions/odd.ts', import.meta.url).href;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api] = await Promise.all([here.startApi(), here.startOrchestrator()]);
  agent = await here.startEmbeddedAgent(odd, { limits: { memoryMiB: 400, scratchMiB: 30 } });
});

const submit = (name: string, parameters: JsonObject = {}) => api.submit({ function: name, parameters });

scenario('whatever a function does to itself, its agent goes on and its neighbours complete', async () => {
  const expected: [string, JsonObject, string][] = [
    ['exits', { code: 0 }, 'process-exited'],
    ['aborts', {}, 'process-exited'],
    ['leaves-rejection', {}, 'execution-failed'],
    ['never-settles', {}, 'execution-failed'],
    ['hoards', { on: 'heap' }, 'resource-limit'],
    ['hoards', { on: 'buffers' }, 'resource-limit'],
    ['fills-scratch', {}, 'resource-limit'],
    ['makes-huge-file', {}, 'resource-limit'],
  ];
  const neighbour = await submit('is-polite');
  await api.running(neighbour.id);
  const busy = await submit('is-busy');
  const jobs = await Promise.all(expected.map(([name, parameters]) => submit(name, parameters)));
  for (const [index, { id }] of jobs.entries()) {
    const [name, , code] = expected[index] ?? [];
    const job = await api.ended(id);
    expect([name, job.status, job.error?.code, job.attempt]).toEqual([name, 'FAILED', code, 1]);
  }
  await api.cancel(busy.id, { graceSeconds: 1 });
  expect(await api.ended(busy.id)).toMatchObject({ status: 'CANCELED', cancelForced: true, attempt: 1 });
  await api.cancel(neighbour.id);
  expect(await api.ended(neighbour.id)).toMatchObject({
    status: 'CANCELED',
    cancelForced: false,
    attempt: 1,
  });
  expect((await api.logs(neighbour.id)).map(({ text }) => text)).toEqual(['waiting', 'cleaned up']);
  expect(await api.agent(agent.name)).toMatchObject({ losses: 0 });
  expect(agent.running()).toBe(true);
});

scenario(
  'ten million lines of a function cost it its later lines, and the agent neither memory nor heartbeats',
  async () => {
    const config = await here.file(
      'flood.yaml',
      'commands: [{name: flood, version: 1.0.0, description: Counts, program: seq, args: ["10000000"], parameters: {type: object, properties: {}}}]\n',
    );
    const flooded = await here.startAgent({ AGENT_CONFIG: config });
    const { id } = await submit('flood');
    let most = 0;
    await waitFor(
      async () => {
        most = Math.max(most, await megabytesOf(flooded.pid));
        return ['COMPLETED', 'FAILED'].includes((await api.job(id)).status);
      },
      { what: 'the flood', timeoutMs: 120_000, everyMs: 200 },
    );
    expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED', attempt: 1, error: null });
    expect(most).toBeLessThan(700);
    const { rows } = await here.query<{ lines: number; last: string }>(
      `select count(*)::integer as lines, max(text) filter (where level = 'warn') as last from job_logs where job_id = '${id}'`,
    );
    expect(rows[0]?.lines).toBe(100_002);
    expect(rows[0]?.last).toMatch(/lines were dropped|limit of 100000 lines/);
  },
  150_000,
);
