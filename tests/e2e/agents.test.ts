import { expect } from '@jest/globals';
import { isAlive } from '../support/alive.ts';
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

const counting = (to: number, everyMs = 100) => ({
  function: 'count',
  parameters: { to, everyMs },
  pool: 'standing',
});

/** Two agents; the one that took the job, and the other. */
async function holderAndOther(jobId: string, agents: readonly Program[]): Promise<[Program, Program]> {
  const { agentId } = await api.running(jobId);
  const [holder, other] = [
    agents.find(({ name }) => name === agentId),
    agents.find(({ name }) => name !== agentId),
  ];
  if (holder === undefined || other === undefined) throw new Error(`nobody of ours is ${agentId}`);
  return [holder, other];
}

/** The numbers that `count` logged in each attempt. */
async function counted(jobId: string): Promise<Record<number, string[]>> {
  const lines: Record<number, string[]> = {};
  for (const { attempt, text } of await api.logs(jobId)) (lines[attempt] ??= []).push(text);
  return lines;
}

const upTo = (to: number) => Array.from({ length: to }, (_, index) => `${index + 1} of ${to}`);

scenario(
  'a job whose agent is killed completes on another agent, and what the first one logged is kept',
  async () => {
    const agents = await here.standingAgents(2);
    const { id } = await api.submit(counting(30));
    const [holder, other] = await holderAndOther(id, agents);
    const process = await functionProcessOf(holder);
    await api.until(id, 'counting', ({ progress }) => (progress?.done ?? 0) >= 3);
    await holder.kill();
    await untilGone(process);
    expect(await api.ended(id)).toMatchObject({
      status: 'COMPLETED',
      attempt: 2,
      agentId: other.name,
      output: { counted: 30 },
    });
    const { 1: first = [], 2: second } = await counted(id);
    expect(first.length).toBeGreaterThanOrEqual(3);
    expect(first).toEqual(upTo(30).slice(0, first.length));
    expect(second).toEqual(upTo(30));
    await expectCompletedOnce(api, id);
    expect((await lifeOf(api, id)).filter((type) => type === 'agentLost')).toHaveLength(1);
  },
);

scenario(
  'an agent that was frozen until its job went on elsewhere commits nothing when it wakes',
  async () => {
    const agents = await here.standingAgents(2);
    const { id } = await api.submit(counting(40));
    const [zombie, other] = await holderAndOther(id, agents);
    const process = await functionProcessOf(zombie);
    await api.until(id, 'counting', ({ progress }) => (progress?.done ?? 0) >= 3);
    zombie.signal('SIGSTOP');
    await api.until(id, 'held by another', ({ attempt, status }) => attempt === 2 && status === 'RUNNING');
    zombie.signal('SIGCONT');
    await untilGone(process);
    await expectCompletedOnce(api, id);
    expect(await api.job(id)).toMatchObject({ attempt: 2, agentId: other.name, output: { counted: 40 } });
    const lines = await api.logs(id);
    const firstOfSecond = lines.findIndex(({ attempt }) => attempt === 2);
    expect(lines.slice(firstOfSecond).map(({ text }) => text)).toEqual(upTo(40));
    // It was only asleep: it takes the next job.
    await other.kill();
    const next = await api.submit(counting(1));
    expect(await api.ended(next.id)).toMatchObject({ status: 'COMPLETED', agentId: zombie.name });
  },
);

scenario(
  'an agent that must leave gives its job back: it completes elsewhere and no agent counts as lost',
  async () => {
    const settings = { AGENT_POOL: 'hasty', DRAIN_SECONDS: '1' };
    const agents = await Promise.all([here.startAgent(settings), here.startAgent(settings)]);
    const { id } = await api.submit({
      function: 'sleep',
      parameters: { seconds: 3 },
      pool: 'hasty',
      maxAgentLosses: 0,
    });
    const [leaving, other] = await holderAndOther(id, agents);
    const process = await functionProcessOf(leaving);
    leaving.signal('SIGTERM');
    expect(await leaving.exited).toEqual({ code: 0, signal: null });
    expect(await isAlive(process)).toBe(false);
    expect(await api.agent(leaving.name)).toMatchObject({ status: 'offline', busy: 0 });
    await expectCompletedOnce(api, id);
    expect(await api.job(id)).toMatchObject({ attempt: 2, agentId: other.name });
    const life = await lifeOf(api, id);
    expect(life.filter((type) => type === 'givenBack')).toHaveLength(1);
    expect(life).not.toContain('agentLost');
  },
);

scenario('an agent with time to drain finishes its job, takes no other one, and leaves', async () => {
  const leaving = await here.startAgent({ AGENT_POOL: 'patient' });
  const { id } = await api.submit({ ...counting(20, 200), pool: 'patient' });
  await api.running(id);
  leaving.signal('SIGTERM');
  await waitFor(async () => (await api.agent(leaving.name)).status === 'draining', {
    what: 'the agent to drain',
  });
  const late = await api.submit({ ...counting(1), pool: 'patient' });
  expect(await leaving.exited).toEqual({ code: 0, signal: null });
  expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED', attempt: 1, agentId: leaving.name });
  expect(await api.job(late.id)).toMatchObject({ status: 'PENDING' });
  const next = await here.startAgent({ AGENT_POOL: 'patient' });
  expect(await api.ended(late.id)).toMatchObject({ status: 'COMPLETED', agentId: next.name });
});

scenario('a running job that is reassigned stops where it ran and completes on the agent named', async () => {
  const agents = await here.standingAgents(2);
  const { id } = await api.submit(counting(20, 200));
  const [holder, other] = await holderAndOther(id, agents);
  const process = await functionProcessOf(holder);
  const answer = await api.reassign(id, { agentId: other.name, reason: 'for the test' });
  expect(answer.status).toBe(202);
  await api.until(id, 'on the other agent', ({ agentId }) => agentId === other.name);
  await untilGone(process);
  await expectCompletedOnce(api, id);
  expect(await api.job(id)).toMatchObject({ attempt: 2, assignedAgentId: other.name });
  const reassigned = (await api.history(id)).find(({ type }) => type === 'reassigned');
  expect(reassigned).toMatchObject({ message: 'for the test', data: { acknowledgedAt: expect.any(String) } });
  expect((await api.reassign(id, { anyone: true })).status).toBe(409);
});

scenario('a job that waits for a pool in which nobody is can be sent to another pool', async () => {
  const left = await here.startAgent({ AGENT_POOL: 'left' });
  await left.kill();
  const { id } = await api.submit({ ...counting(1), pool: 'left' });
  await api.until(id, 'PENDING', ({ status }) => status === 'PENDING');
  const right = await here.startAgent({ AGENT_POOL: 'right' });
  expect((await api.reassign(id, { pool: 'right' })).status).toBe(202);
  expect(await api.ended(id)).toMatchObject({
    status: 'COMPLETED',
    attempt: 1,
    agentId: right.name,
    pool: 'right',
  });
});

scenario(
  'a failing function is tried as often as it declares, and the last failure shows meanwhile',
  async () => {
    await here.standingAgents(1);
    const { id } = await api.submit({
      function: 'fail',
      parameters: { message: 'oh no', retryable: true },
      pool: 'standing',
    });
    const retrying = await api.until(id, 'retried', ({ lastFailure }) => lastFailure !== null);
    expect(retrying).toMatchObject({ lastFailure: { code: 'execution-failed', detail: 'oh no' } });
    expect(await api.ended(id)).toMatchObject({
      status: 'FAILED',
      attempt: 1,
      error: { code: 'execution-failed', detail: 'oh no' },
      nextAttemptAt: null,
    });
    expect((await lifeOf(api, id)).at(-1)).toBe('failed');
    const final = await api.submit({
      function: 'fail',
      parameters: { message: 'for good' },
      pool: 'standing',
    });
    expect(await api.ended(final.id)).toMatchObject({
      status: 'FAILED',
      error: { detail: 'for good' },
      lastFailure: null,
    });
  },
);

scenario(
  'a function whose process dies is tried again; one that dies every time fails alone, and harms no other job',
  async () => {
    const [agent] = await here.standingAgents(1);
    if (agent === undefined) throw new Error('no agent');
    const survivor = await api.submit(counting(5));
    await api.running(survivor.id);
    const first = await functionProcessOf(agent);
    process.kill(first, 'SIGKILL');
    await api.until(survivor.id, 'retried', ({ lastFailure }) => lastFailure?.code === 'process-exited');
    const bystander = await api.submit({ function: 'echo', parameters: { still: 'here' } });
    expect(await api.ended(bystander.id)).toMatchObject({ status: 'COMPLETED' });
    expect(await api.ended(survivor.id)).toMatchObject({
      status: 'COMPLETED',
      attempt: 1,
      output: { counted: 5 },
    });

    const poison = await api.submit({ function: 'sleep', parameters: { seconds: 600 }, pool: 'standing' });
    await api.running(poison.id);
    process.kill(await functionProcessOf(agent), 'SIGKILL');
    expect(await api.ended(poison.id)).toMatchObject({
      status: 'FAILED',
      attempt: 1,
      error: { code: 'process-exited' },
    });
    expect(agent.running()).toBe(true);
  },
);
