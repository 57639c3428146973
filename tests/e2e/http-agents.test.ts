import { expect } from '@jest/globals';
import {
  httpAgentAtWork,
  newHttpAgent,
  refused,
  registerByHand,
  submitByHand,
} from './support/http-agent.ts';
import { type Api, house, type House } from './support/house.ts';
import { expectCompletedOnce, lifeOf } from './support/life.ts';
import type { Program } from './support/program.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
/** Two replicas of the API. */
let api: Api;
let other: Api;
let orchestrator: Program;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api, other, orchestrator] = await Promise.all([
    here.startApi(),
    here.startApi(),
    here.startOrchestrator(),
  ]);
  await registerByHand(api);
});

const submit = (more: object = {}) => submitByHand(api, more);
const newAgent = (request: object = {}, through = api) => newHttpAgent(through, request);
const atWork = (request: object = {}) => httpAgentAtWork(api, request);

scenario('an agent that knows only HTTP takes a job through every stage to its result', async () => {
  const data = await api.upload({ text: 'a,b\n1,2\n' });
  const pool = 'whole';
  const agent = await newAgent({ pools: [pool] });
  const { id } = await submit({ pool, parameters: { text: 'hello', data } });
  const claimed = await agent.claim({ waitSeconds: 20 });
  expect(claimed).toMatchObject({
    id,
    attempt: 1,
    status: 'CLAIMED',
    function: { name: 'by-hand', version: '1.0.0' },
    parameters: { text: 'hello', data },
    files: [{ pointer: '/data', id: data, size: 8 }],
    leaseSeconds: 30,
    stop: null,
  });
  expect(await (await agent.client.call('GET', claimed?.files[0]?.links.content ?? '')).text()).toBe(
    'a,b\n1,2\n',
  );
  expect(await api.job(id)).toMatchObject({ status: 'CLAIMED', agentId: agent.id });
  expect(await agent.report(id, { attempt: 1, status: 'VALIDATING' })).toMatchObject({
    status: 'VALIDATING',
  });
  const running = await agent.report(id, {
    attempt: 1,
    status: 'RUNNING',
    progress: { done: 1, total: 2, unit: 'rows' },
    logs: [{ text: 'begun' }, { text: 'odd', level: 'warn', stream: 'stderr' }],
  });
  expect(running).toMatchObject({ status: 'RUNNING' });
  expect(await api.job(id)).toMatchObject({
    status: 'RUNNING',
    progress: { done: 1, total: 2, unit: 'rows' },
  });
  expect(await api.call('GET', `/v1/agents/${agent.id}`).then((answer) => answer.json())).toMatchObject({
    kind: 'http',
    status: 'busy',
    busy: 1,
    jobs: [{ id, attempt: 1, status: 'RUNNING' }],
    losses: 0,
    lastClaimAt: expect.any(String),
  });
  expect(await agent.report(id, { attempt: 1, status: 'UPLOADING' })).toMatchObject({ status: 'UPLOADING' });
  expect((await agent.upload(id, 1, 'words.txt', 'one')).status).toBe(201);
  expect((await agent.upload(id, 1, 'words.txt', 'hello world')).status).toBe(201);
  expect(await agent.complete(id, { attempt: 1, result: 'words.txt', output: { words: 2 } })).toMatchObject({
    status: 'COMPLETED',
    output: { words: 2 },
    files: [{ name: 'words.txt', size: 11 }],
  });
  await expectCompletedOnce(api, id);
  expect(await lifeOf(api, id)).toEqual([
    'created',
    'queued',
    'claimed',
    'validationStarted',
    'validated',
    'executed',
    'uploaded',
  ]);
  expect(await (await api.call('GET', `/v1/jobs/${id}/result`)).text()).toBe('hello world');
  expect((await api.logs(id)).map(({ text, level }) => [text, level])).toEqual([
    ['begun', 'info'],
    ['odd', 'warn'],
  ]);
});

scenario('a job may be completed without a report in between, and its answers may be repeated', async () => {
  const { agent, id, attempt } = await atWork();
  expect(await agent.complete(id, { attempt, output: { short: true } })).toMatchObject({
    status: 'COMPLETED',
  });
  expect(await agent.complete(id, { attempt, output: { short: true } })).toMatchObject({
    status: 'COMPLETED',
  });
  await expectCompletedOnce(api, id);
});

scenario('of fifty agents that claim one job at once exactly one gets it, native ones included', async () => {
  const pool = 'crowd';
  const sleep = { function: 'sleep', parameters: { seconds: 0 }, pool };
  const functions = [{ name: 'sleep', version: '1.0.0' }];
  const native = await here.startAgent({ AGENT_POOL: pool, AGENT_SLOTS: '1' });
  const agents = await Promise.all(
    Array.from({ length: 49 }, (_, index) =>
      newAgent({ pools: [pool], functions }, index % 2 === 0 ? api : other),
    ),
  );
  const winners = new Set<string>();
  for (let round = 0; round < 4; round++) {
    // In the last rounds the native agent is not there, and the job waits already when all of them name it.
    if (round === 2) await native.kill();
    const waiting = round < 2 ? agents.map((agent) => agent.claim({ waitSeconds: 4 })) : [];
    const { id } = await api.submit(sleep);
    if (round >= 2) await api.until(id, 'PENDING', ({ status }) => status === 'PENDING');
    const named = round >= 2 ? agents.map((agent) => agent.claimAnswer({ jobId: id })) : [];
    const statuses = (await Promise.all(named)).map(({ status }) => status);
    const won = (await Promise.all(waiting)).filter((assignment) => assignment !== undefined);
    const { agentId } = await api.until(id, 'claimed', ({ attempt }) => attempt === 1);
    winners.add(agentId ?? '');
    expect(won.length + statuses.filter((status) => status === 200).length).toBe(
      agentId === native.name ? 0 : 1,
    );
    expect(statuses.every((status) => status === 200 || status === 409)).toBe(true);
    expect((await lifeOf(api, id)).filter((type) => type === 'claimed')).toHaveLength(1);
    const winner = agents.find((agent) => agent.id === agentId);
    await winner?.complete(id, { attempt: 1, output: { sleptSeconds: 0 } });
    await expectCompletedOnce(api, id);
  }
  expect(winners.has('')).toBe(false);
});

scenario('native and HTTP agents want the same jobs, and each job goes to one of them', async () => {
  const pool = 'mixed';
  const sleep = { function: 'sleep', parameters: { seconds: 0 }, pool };
  await here.startAgent({ AGENT_POOL: pool, AGENT_SLOTS: '2' });
  const agents = await Promise.all(
    Array.from({ length: 5 }, () =>
      newAgent({ pools: [pool], functions: [{ name: 'sleep', version: '1.0.0' }] }),
    ),
  );
  const work = async (agent: (typeof agents)[number]): Promise<string[]> => {
    const done: string[] = [];
    for (;;) {
      const job = await agent.claim({ waitSeconds: 3 });
      if (job === undefined) return done;
      await agent.complete(job.id, { attempt: job.attempt, output: { sleptSeconds: 0 } });
      done.push(job.id);
    }
  };
  const working = agents.map(work);
  const jobs = await Promise.all(Array.from({ length: 40 }, () => api.submit(sleep)));
  for (const { id } of jobs) await expectCompletedOnce(api, id);
  const byHttp = (await Promise.all(working)).flat();
  expect(new Set(byHttp).size).toBe(byHttp.length);
  for (const { id } of jobs) {
    const { agentId } = await api.job(id);
    expect(agents.some((agent) => agent.id === agentId)).toBe(byHttp.includes(id));
  }
});

scenario('a claim whose answer was lost is answered again with the same job', async () => {
  const agent = await newAgent({ pools: ['lossy'], slots: 3 });
  await submit({ pool: 'lossy' });
  await submit({ pool: 'lossy' });
  const first = await agent.claim({ claimId: 'c-1', waitSeconds: 20 });
  expect(await agent.claim({ claimId: 'c-1', waitSeconds: 20 })).toMatchObject({ id: first?.id, attempt: 1 });
  const second = await agent.claim({ claimId: 'c-2', waitSeconds: 20 });
  expect(second?.id).not.toBe(first?.id);
});

scenario('a claim that the API was killed in the middle of is found by its repeat', async () => {
  const agent = await newAgent({ pools: ['halfway'] });
  const { id } = await submit({ pool: 'halfway' });
  await submit({ pool: 'halfway' });
  // What stands there when the note was made, and the workflow not yet asked.
  await here.query(
    `insert into claims (tenant_id, agent_id, claim_id, job_id) select tenant_id, $1, 'c-9', id from jobs where id = $2`,
    [agent.id, id],
  );
  expect(await agent.claim({ claimId: 'c-9', waitSeconds: 20 })).toMatchObject({ id, attempt: 1 });
});

scenario('what an agent completes while no orchestrator runs is not lost', async () => {
  const { agent, id, attempt } = await atWork();
  await agent.report(id, { attempt, status: 'RUNNING' });
  await orchestrator.kill();
  const answer = await agent.complete(id, { attempt, output: { safe: true } });
  expect(answer.status).toBe('RUNNING');
  orchestrator = await here.startOrchestrator();
  await expectCompletedOnce(api, id);
  expect(await api.job(id)).toMatchObject({ output: { safe: true }, attempt: 1 });
});

scenario('an agent never holds more jobs than slots, however often it claims at once', async () => {
  const pool = 'narrow';
  const agent = await newAgent({ pools: [pool], slots: 2 });
  const jobs = await Promise.all(Array.from({ length: 6 }, () => submit({ pool })));
  for (const { id } of jobs) await api.until(id, 'PENDING', ({ status }) => status === 'PENDING');
  const answers = await Promise.all(Array.from({ length: 12 }, () => agent.claim()));
  const held = answers.filter((one) => one !== undefined);
  expect(held.length).toBeGreaterThan(0);
  expect(held.length).toBeLessThanOrEqual(2);
  const rest = [await agent.claim(), await agent.claim()].filter((one) => one !== undefined);
  expect(held.length + rest.length).toBe(2);
  await refused(agent.claimAnswer({ jobId: jobs[5]?.id }), 409, 'agent-not-ready');
});
