import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { onSmallDisk, smallDisksAllowed } from '../support/small-disk.ts';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import { expectCompletedOnce, lifeOf } from './support/life.ts';
import { functionProcessOf, type Program, untilGone } from './support/program.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api] = await Promise.all([here.startApi(), here.startOrchestrator()]);
});

const counting = (pool: string, to: number, everyMs = 100) => ({
  function: 'count',
  parameters: { to, everyMs },
  pool,
});
const atLeast = (id: string, done: number) =>
  api.until(id, `at ${done}`, ({ progress }) => (progress?.done ?? 0) >= done);

/** An agent that reaches Temporal by a way that can be cut. */
async function startBehindProxy(settings: Record<string, string>): Promise<{ agent: Program; way: Proxy }> {
  const [host = '', port = ''] = here.addresses.temporalAddress.split(':');
  const way = await startProxy(host, Number(port));
  return { way, agent: await here.startAgent({ TEMPORAL_ADDRESS: `127.0.0.1:${way.port}`, ...settings }) };
}

for (const [how, fault] of [
  ['falls silent', 'freeze'],
  ['is cut', 'cut'],
] as const) {
  scenario(
    `an agent whose network ${how} loses its job to another, and commits nothing when it is back`,
    async () => {
      const pool = `net-${fault}`;
      const { agent, way } = await startBehindProxy({ AGENT_POOL: pool });
      try {
        const { id } = await api.submit(counting(pool, 60));
        await api.running(id);
        const process = await functionProcessOf(agent);
        await atLeast(id, 3);
        const other = await here.startAgent({ AGENT_POOL: pool });
        way[fault]();
        await api.until(
          id,
          'held by another',
          ({ attempt, status }) => attempt === 2 && status === 'RUNNING',
        );
        // The record refuses what the old attempt says; so it ends before Temporal can tell it.
        await untilGone(process);
        way.restore();
        await expectCompletedOnce(api, id);
        expect(await api.job(id)).toMatchObject({ attempt: 2, agentId: other.name, output: { counted: 60 } });
        const lines = await api.logs(id);
        const first = lines.findIndex(({ attempt }) => attempt === 2);
        expect(lines.slice(first).every(({ attempt }) => attempt === 2)).toBe(true);
        expect((await api.agent(agent.name)).losses).toBe(1);
        // Its connection is back: it takes jobs again.
        await other.kill();
        const next = await api.submit(counting(pool, 1));
        expect(await api.ended(next.id)).toMatchObject({ status: 'COMPLETED', agentId: agent.name });
      } finally {
        way.stop();
      }
    },
  );
}

scenario('a job that is pinned to an agent waits for it, however often it is lost', async () => {
  const id = `pinned-${randomUUID().slice(0, 6)}`;
  const first = await here.startAgent({ AGENT_ID: id });
  await here.startAgent();
  const job = await api.submit({
    function: 'count',
    parameters: { to: 15, everyMs: 100 },
    assignedAgentId: id,
    maxAgentLosses: 0,
  });
  await atLeast(job.id, 2);
  await first.kill();
  await api.until(job.id, 'lost', ({ status }) => status === 'PENDING');
  expect((await api.job(job.id)).assignedAgentId).toBe(id);
  await here.startAgent({ AGENT_ID: id });
  await expectCompletedOnce(api, job.id);
  expect(await api.job(job.id)).toMatchObject({ attempt: 2, agentId: id });
});

scenario(
  'while all agents of a pool are restarted one after the other, no job is lost and none counts a loss',
  async () => {
    const pool = 'rolling';
    const settings = { AGENT_POOL: pool, AGENT_SLOTS: '2', DRAIN_SECONDS: '1' };
    const agents = await Promise.all(Array.from({ length: 3 }, () => here.startAgent(settings)));
    const jobs = await Promise.all(Array.from({ length: 10 }, () => api.submit(counting(pool, 30))));
    for (const agent of agents) {
      agent.signal('SIGTERM');
      expect(await agent.exited).toEqual({ code: 0, signal: null });
      await here.startAgent(settings);
    }
    for (const { id } of jobs) await expectCompletedOnce(api, id);
    const lives = await Promise.all(jobs.map(({ id }) => lifeOf(api, id)));
    expect(lives.flat().filter((type) => type === 'agentLost')).toEqual([]);
    expect(lives.flat().filter((type) => type === 'givenBack').length).toBeGreaterThan(0);
  },
);

/** Starts an agent again whenever it has been killed, as a supervisor would. */
function keepAlive(settings: Record<string, string>): { stop(): Promise<void>; deaths(): number } {
  let stopped = false;
  let deaths = 0;
  let current: Program | undefined;
  const running = (async () => {
    while (!stopped) {
      try {
        current = await here.startAgent(settings);
        // It was asked to stop while this one started.
        if (stopped) await current.kill();
        await current.exited;
      } catch {
        // It died before it said that it runs.
      }
      deaths += 1;
    }
  })();
  return {
    deaths: () => deaths,
    async stop() {
      stopped = true;
      await current?.kill();
      await running;
    },
  };
}

scenario(
  'a job that kills every agent ends FAILED after the bound, and the jobs beside it complete',
  async () => {
    const pool = 'poisoned';
    const script = await here.file('poison.sh', 'sleep 1; kill -9 $PPID\n');
    const config = await here.file(
      'poison.yaml',
      `commands: [{name: poison, version: 1.0.0, description: Kills its agent, program: sh, args: ["${script}"], parameters: {type: object, properties: {}}}]\n`,
    );
    const settings = { AGENT_POOL: pool, AGENT_CONFIG: config, AGENT_SLOTS: '4' };
    const fleet = ['one', 'two'].map((name) => keepAlive({ ...settings, AGENT_ID: `${pool}-${name}` }));
    try {
      const served = async () => (await api.call('GET', '/v1/functions/poison/1.0.0')).ok;
      await waitFor(served, { what: 'the agents', timeoutMs: 20_000 });
      const poison = await api.submit({ function: 'poison', parameters: {}, pool });
      // Long enough to be beside it whenever it strikes.
      const healthy = await Promise.all(Array.from({ length: 4 }, () => api.submit(counting(pool, 50))));
      const ended = await api.ended(poison.id);
      expect(ended).toMatchObject({ status: 'FAILED', error: { code: 'agent-lost' }, attempt: 4 });
      for (const { id } of healthy) await expectCompletedOnce(api, id);
      expect(fleet.reduce((sum, { deaths }) => sum + deaths(), 0)).toBe(4);
    } finally {
      await Promise.all(fleet.map((agent) => agent.stop()));
    }
  },
  150_000,
);

/** The configuration of an agent with a function that writes a file of so many MiB. */
async function filling(mebibytes: number): Promise<string> {
  const script = await here.file(`fill-${mebibytes}.sh`, `head -c ${mebibytes}M /dev/zero > zeros.bin\n`);
  const command = `{name: fill, version: 1.0.0, description: Fills, program: sh, args: ["${script}"], result: zeros.bin, parameters: {type: object, properties: {}}}`;
  return here.file(`fill-${mebibytes}.yaml`, `commands: [${command}]\n`);
}

scenario(
  'a job that finds no room in the scratch folder of an agent goes on elsewhere, and the agent recovers',
  async () => {
    if (!(await smallDisksAllowed()))
      return console.warn('skipped: this machine lets nobody mount a small file system');
    const pool = 'cramped';
    const config = await filling(150);
    const folder = join(config, '..', 'small-home');
    await mkdir(folder);
    const settings = { AGENT_POOL: pool, AGENT_CONFIG: config };
    const small = await here.startAgent({ ...settings, PERDURE_HOME: folder }, onSmallDisk(folder, '100m'));
    const { id } = await api.submit({ function: 'fill', parameters: {}, pool });
    await api.until(id, 'back in the queue', ({ status, attempt }) => status === 'PENDING' && attempt >= 1);
    expect((await api.history(id)).at(-1)).toMatchObject({
      type: 'agentLost',
      code: 'agent-unfit',
      agentId: small.name,
    });
    const large = await here.startAgent(settings);
    await expectCompletedOnce(api, id);
    expect(await api.job(id)).toMatchObject({
      agentId: large.name,
      files: [{ name: 'zeros.bin', size: 150 * 1024 ** 2 }],
    });
    await large.kill();
    // What the job had written is gone, so that there is room again.
    const next = await api.submit(counting(pool, 1));
    expect(await api.ended(next.id)).toMatchObject({ status: 'COMPLETED', agentId: small.name });
  },
);

scenario('a job whose result finds no room where an agent stores it goes on elsewhere', async () => {
  if (!(await smallDisksAllowed()))
    return console.warn('skipped: this machine lets nobody mount a small file system');
  const pool = 'stuffed';
  const config = await filling(5);
  const folder = join(config, '..', 'small-storage');
  await mkdir(folder);
  const settings = { AGENT_POOL: pool, AGENT_CONFIG: config };
  const stuffed = await here.startAgent(
    { ...settings, STORAGE_URL: `file:${folder}` },
    onSmallDisk(folder, '1m'),
  );
  const { id } = await api.submit({ function: 'fill', parameters: {}, pool });
  await api.until(id, 'back in the queue', ({ status, attempt }) => status === 'PENDING' && attempt >= 1);
  await stuffed.kill();
  const other = await here.startAgent(settings);
  await expectCompletedOnce(api, id);
  expect(await api.job(id)).toMatchObject({ agentId: other.name });
  const lost = (await api.history(id)).find(({ type }) => type === 'agentLost');
  expect(lost).toMatchObject({ code: 'agent-unfit', agentId: stuffed.name });
});
