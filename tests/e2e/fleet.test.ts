import { afterAll, beforeAll, expect } from '@jest/globals';
import type { Job, JobRequest, Pool, PoolDetails } from '@perdure/job/schemas';
import { Client, Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { temporalAddress } from '../support/temporal.ts';
import { waitFor } from '../support/wait.ts';
import { registerByHand } from './support/http-agent.ts';
import { type Api, house, type House } from './support/house.ts';
import { expectCompletedOnce } from './support/life.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;
let connection: Connection;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api] = await Promise.all([here.startApi(), here.startOrchestrator()]);
});
beforeAll(async () => void (connection = await Connection.connect({ address: temporalAddress() })));
afterAll(() => connection.close());

const echo = (more: Partial<JobRequest> = {}): JobRequest => ({ function: 'echo', parameters: {}, ...more });
const sleep = (seconds: number, pool: string): JobRequest => ({
  function: 'sleep',
  parameters: { seconds },
  pool,
});
const json = async <T>(answer: Promise<Response>): Promise<T> => (await answer).json() as Promise<T>;
const waitsFor = async (id: string, kind: string) => {
  const { waitingReason } = await api.until(id, kind, (job) => job.waitingReason?.kind === kind);
  return waitingReason;
};
const agentWith = async (file: string, settings: Record<string, string> = {}) =>
  here.startAgent({ AGENT_CONFIG: await here.file(`${randomUUID()}.yaml`, file), ...settings });

scenario('an agent is listed as it announced itself, with what it does', async () => {
  const agent = await agentWith(
    'displayName: Blender box\noperatingSystem: beos\ntools: [{name: blender, version: "4.2"}]\n',
    { AGENT_POOL: 'render', AGENT_SLOTS: '3' },
  );
  const idle = await api.agent(agent.name);
  expect(idle).toMatchObject({
    displayName: 'Blender box',
    kind: 'native',
    status: 'idle',
    pools: ['render'],
    tools: [{ name: 'blender', version: '4.2' }],
    operatingSystem: 'beos',
    slots: 3,
    busy: 0,
    jobs: [],
    losses: 0,
    lastClaimAt: null,
  });
  expect(idle.functions).toContainEqual({ name: 'echo', version: '1.0.0' });
  const { id } = await api.submit(sleep(600, 'render'));
  await api.running(id);
  const seen = async () => {
    const now = await api.agent(agent.name);
    return now.status === 'busy' && now.lastClaimAt !== null ? now : undefined;
  };
  const busy = await waitFor(seen, { what: 'the agent to be busy' });
  expect(busy).toMatchObject({
    busy: 1,
    jobs: [{ id, status: 'RUNNING', attempt: 1, function: { name: 'sleep' } }],
  });
  await agent.kill();
  const offline = async () => (await api.agent(agent.name)).status === 'offline';
  await waitFor(offline, { what: 'the agent to be offline', timeoutMs: 20_000 });
  await api.until(id, 'lost', ({ status }) => status === 'PENDING');
  expect(await api.agent(agent.name)).toMatchObject({ status: 'offline', busy: 0, jobs: [], losses: 1 });
  await api.cancel(id);
});

scenario(
  'an agent that an operator drains finishes what it has, takes nothing, and takes jobs again',
  async () => {
    const pool = 'maintained';
    const agent = await here.startAgent({ AGENT_POOL: pool });
    const running = await api.submit(sleep(3, pool));
    await api.running(running.id);
    expect((await api.post(`/v1/agents/${agent.name}:drain`, {})).status).toBe(202);
    await waitFor(async () => (await api.agent(agent.name)).status === 'draining', {
      what: 'the agent to drain',
    });
    const late = await api.submit(echo({ pool }));
    expect(await waitsFor(late.id, 'draining')).toEqual({ kind: 'draining', agents: 1 });
    expect(await api.ended(running.id)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
    expect(await api.job(late.id)).toMatchObject({ status: 'PENDING' });
    expect((await api.post(`/v1/agents/${agent.name}:resume`, {})).status).toBe(202);
    expect(await api.ended(late.id)).toMatchObject({ status: 'COMPLETED', agentId: agent.name });
  },
);

scenario('a pool is made, filled, described, emptied and removed by operators', async () => {
  const agent = await here.startAgent();
  const made = await api.post('/v1/pools', { name: 'made', description: 'for the test' });
  expect([made.status, made.headers.get('location')]).toEqual([201, '/v1/pools/made']);
  expect((await api.post('/v1/pools', { name: 'made' })).status).toBe(409);
  const { id } = await api.submit(echo({ pool: 'made' }));
  expect(await waitsFor(id, 'pool-empty')).toEqual({ kind: 'pool-empty', pool: 'made' });
  const described = async () => {
    const pool = await json<PoolDetails>(api.call('GET', '/v1/pools/made'));
    return pool.backlog?.[0]?.jobs === 1 ? pool : undefined;
  };
  expect(await waitFor(described, { what: 'the backlog' })).toMatchObject({
    description: 'for the test',
    agents: [],
    pending: 1,
    backlog: [{ queue: 'claim/made/echo@1.0.0', jobs: 1, pollers: 0 }],
  });
  const filled = await json<Pool>(api.call('PUT', `/v1/pools/made/agents/${agent.name}`));
  expect(filled.agents).toEqual([agent.name]);
  expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED', agentId: agent.name });
  expect((await api.agent(agent.name)).pools).toEqual(['made']);
  const polled = async () => {
    const { backlog } = await json<PoolDetails>(api.call('GET', '/v1/pools/made'));
    return backlog?.find(({ queue }) => queue === 'claim/made/echo@1.0.0')?.pollers === 1;
  };
  await waitFor(polled, { what: 'the agent to poll' });
  expect((await api.call('DELETE', '/v1/pools/made')).status).toBe(409);
  await api.call('DELETE', `/v1/pools/made/agents/${agent.name}`);
  expect((await api.call('DELETE', '/v1/pools/made')).status).toBe(204);
  expect((await api.call('GET', '/v1/pools/made')).status).toBe(404);
});

scenario(
  'a job runs where its tool, its version and its operating system are, and waits where they are not',
  async () => {
    const old = await agentWith('tools: [{name: mesher, version: "1"}]\n');
    const fresh = await agentWith('tools: [{name: mesher, version: "2"}]\noperatingSystem: plan9\n');
    const ranOn = async (more: Partial<JobRequest>) => {
      const { id } = await api.submit(echo(more));
      return (await api.ended(id)).agentId;
    };
    expect(await ranOn({ tool: { name: 'mesher', version: '1' } })).toBe(old.name);
    expect(await ranOn({ tool: { name: 'mesher', version: '2' } })).toBe(fresh.name);
    expect(await ranOn({ operatingSystem: 'plan9' })).toBe(fresh.name);
    expect([old.name, fresh.name]).toContain(await ranOn({ tool: { name: 'mesher' } }));
    expect(await ranOn({ tool: { name: 'mesher' }, operatingSystem: 'plan9' })).toBe(fresh.name);
    const { id } = await api.submit(echo({ tool: { name: 'mesher', version: '3' } }));
    expect(await waitsFor(id, 'no-agent-serves')).toEqual({ kind: 'no-agent-serves' });
    await agentWith('tools: [{name: mesher, version: "3"}]\n');
    await expectCompletedOnce(api, id);
    const refused = await api.post(
      '/v1/jobs',
      echo({ assignedAgentId: old.name, tool: { name: 'mesher', version: '2' } }),
    );
    expect([refused.status, (await refused.json()) as object]).toMatchObject([
      422,
      { code: 'incapable-agent' },
    ]);
  },
);

scenario('an agent never holds more jobs than slots, over all the queues that it polls', async () => {
  const agent = await agentWith('tools: [{name: vice, version: "1"}]\noperatingSystem: amiga\n', {
    AGENT_POOL: 'slotted',
    AGENT_SLOTS: '2',
  });
  const tool = { name: 'vice' };
  const kinds: Partial<JobRequest>[] = [
    { pool: 'slotted' },
    { tool },
    { tool: { ...tool, version: '1' } },
    { operatingSystem: 'amiga' },
    { pool: 'slotted', tool },
    { pool: 'slotted', operatingSystem: 'amiga' },
    { assignedAgentId: agent.name },
  ];
  const requests = [...kinds, ...kinds, ...kinds].map((kind) => ({
    ...sleep(0.2, 'slotted'),
    pool: undefined,
    ...kind,
  }));
  const jobs = await Promise.all(requests.map((request) => api.submit(request)));
  for (const { id } of jobs)
    expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED', agentId: agent.name });
  // By the agent's own clock: the record learns of an end a moment after the slot is free.
  const lives = await Promise.all(jobs.map(({ id }) => api.history(id)));
  const at = (life: (typeof lives)[number], wanted: string) =>
    life.find(({ type }) => type === wanted)?.at ?? '';
  const held = lives.map((life) => ({ from: at(life, 'claimed'), to: at(life, 'executed') }));
  const beside = held.map(({ from }) => held.filter((other) => other.from <= from && from < other.to).length);
  expect(Math.max(...beside)).toBe(2);
});

scenario('why a job waits is told as data', async () => {
  await registerByHand(api, 'unserved');
  const unserved = await api.submit({ function: 'unserved', parameters: {} });
  expect(await waitsFor(unserved.id, 'no-agent-serves')).toEqual({ kind: 'no-agent-serves' });
  const agent = await here.startAgent({ AGENT_POOL: 'tight', AGENT_SLOTS: '1' });
  const running = await api.submit(sleep(600, 'tight'));
  await api.running(running.id);
  const [second, third] = [
    await api.submit(echo({ pool: 'tight' })),
    await api.submit(echo({ pool: 'tight' })),
  ];
  const both = async () => {
    const { waitingReason } = await api.job(third.id);
    return waitingReason?.kind === 'all-busy' && waitingReason.backlog?.jobs === 2
      ? waitingReason
      : undefined;
  };
  const reason = await waitFor(both, { what: 'both jobs in the backlog', timeoutMs: 20_000 });
  expect(reason).toMatchObject({ agents: 1, backlog: { oldestSeconds: expect.any(Number) } });
  await agent.kill();
  const pinned = await api.submit(echo({ assignedAgentId: agent.name }));
  const offline = async () => (await api.agent(agent.name)).status === 'offline';
  await waitFor(offline, { what: 'the agent to be offline', timeoutMs: 20_000 });
  expect(await waitsFor(pinned.id, 'agent-offline')).toEqual({ kind: 'agent-offline', agentId: agent.name });
  for (const { id } of [running, second, third, pinned, unserved]) await api.cancel(id);
});

/** An agent with one slot, which is taken. What is answered frees it, once so many jobs wait for it. */
async function heldBack(pool: string): Promise<(waiting: number) => Promise<void>> {
  await here.startAgent({ AGENT_POOL: pool, AGENT_SLOTS: '1' });
  const { id } = await api.submit(sleep(600, pool));
  await api.running(id);
  return async (waiting) => {
    const all = async () => {
      const { backlog } = await json<PoolDetails>(api.call('GET', `/v1/pools/${pool}`));
      return (backlog ?? []).some(({ jobs }) => jobs >= waiting);
    };
    await waitFor(all, { what: `${waiting} jobs to wait`, timeoutMs: 30_000 });
    await api.cancel(id, { mode: 'force' });
  };
}

/** The jobs in the order in which agents took them. */
async function order(ids: readonly string[]): Promise<string[]> {
  const { rows } = await here.query<{ id: string }>(
    'select id from jobs where id = any($1) order by started_at',
    [ids],
  );
  return rows.map(({ id }) => id);
}

scenario('of the jobs that wait, those of a higher priority are taken first', async () => {
  const pool = 'ranked';
  const go = await heldBack(pool);
  const priorities = [5, 4, 3, 2, 1, 1, 2, 3, 4, 5];
  const jobs: Job[] = [];
  for (const priority of priorities) jobs.push(await api.submit(echo({ pool, priority })));
  await go(jobs.length);
  for (const { id } of jobs) await expectCompletedOnce(api, id);
  const taken = await order(jobs.map(({ id }) => id));
  const ranks = taken.map((id) => jobs.find((job) => job.id === id)?.priority);
  expect(ranks).toEqual([...priorities].sort());
});

scenario('a tenant with few jobs does not wait behind one with many', async () => {
  const pool = 'shared';
  const go = await heldBack(pool);
  const client = new Client({ connection, namespace: here.addresses.temporalNamespace });
  const small = '00000000-0000-7000-8000-0000000000bb';
  const start = async (tenantId: string): Promise<string> => {
    const workflowId = randomUUID();
    const argument = { function: 'echo', version: '1.0.0', pool, tenantId };
    await client.workflow.start('job', { workflowId, taskQueue: 'perdure', args: [argument] });
    return workflowId;
  };
  const many: string[] = [];
  for (let count = 0; count < 16; count++) many.push(await start('00000000-0000-7000-8000-000000000001'));
  const few: string[] = [];
  for (let count = 0; count < 4; count++) few.push(await start(small));
  await go(many.length + few.length);
  const handles = [...many, ...few].map((id) => client.workflow.getHandle(id));
  await Promise.all(handles.map((handle) => handle.result()));
  const taken = await order([...many, ...few]);
  // In the order of arrival its last one would be the twentieth.
  expect(taken.indexOf(few.at(-1) ?? '')).toBeLessThan(12);
});

scenario('a second process under an id takes the place of the first, which leaves', async () => {
  const id = `twin-${randomUUID().slice(0, 6)}`;
  const first = await here.startAgent({ AGENT_ID: id, AGENT_POOL: 'twins' });
  await here.startAgent({ AGENT_ID: id, AGENT_POOL: 'twins' });
  expect(await first.exited).toEqual({ code: 1, signal: null });
  expect(first.said()).toContain(`another process runs under the agent id ${id}`);
  const jobs = await Promise.all(Array.from({ length: 5 }, () => api.submit(echo({ pool: 'twins' }))));
  for (const job of jobs) await expectCompletedOnce(api, job.id);
  const idle = async () => (await api.agent(id)).status === 'idle';
  await waitFor(idle, { what: 'the second process to be idle' });
});
