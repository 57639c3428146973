import { expect } from '@jest/globals';
import {
  httpAgentAtWork,
  newHttpAgent,
  refused,
  registerByHand,
  submitByHand,
} from './support/http-agent.ts';
import { type Api, house, type House } from './support/house.ts';
import { lifeOf } from './support/life.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api] = await Promise.all([here.startApi(), here.startOrchestrator()]);
  await registerByHand(api);
});

const newAgent = (request: object = {}) => newHttpAgent(api, request);
const atWork = (request: object = {}) => httpAgentAtWork(api, request);

scenario(
  'an agent that falls silent for its lease loses the job, and what it sends late is refused',
  async () => {
    const { agent, id, pool, attempt } = await atWork({ leaseSeconds: 2 });
    const next = await newAgent({ pools: [pool] });
    expect(await next.claim({ waitSeconds: 30 })).toMatchObject({ id, attempt: 2 });
    await refused(agent.reportAnswer(id, { attempt, logs: [{ text: 'late' }] }), 409, 'stale-attempt');
    await refused(agent.completeAnswer(id, { attempt, output: { late: true } }), 409, 'stale-attempt');
    await refused(agent.upload(id, attempt, 'late.txt', 'late'), 409, 'stale-attempt');
    await refused(agent.fail(id, { attempt, detail: 'late' }), 409, 'stale-attempt');
    await refused(agent.giveBack(id, { attempt }), 409, 'stale-attempt');
    expect(await agent.beat([{ id, attempt }])).toMatchObject({ jobs: [], lost: [{ id, attempt }] });
    expect(await next.complete(id, { attempt: 2, output: { mine: true } })).toMatchObject({
      output: { mine: true },
      files: [],
    });
    expect(await api.logs(id)).toEqual([]);
    const answer = await api.call('GET', `/v1/agents/${agent.id}`);
    expect(await answer.json()).toMatchObject({ losses: 1 });
  },
);

scenario('beats and reports keep a job beyond its lease', async () => {
  const { agent, id, attempt } = await atWork({ leaseSeconds: 2 });
  const begun = Date.now();
  while (Date.now() - begun < 5_000) {
    await agent.report(id, { attempt });
    expect((await agent.beat([{ id, attempt }])).jobs).toMatchObject([{ id, attempt, status: 'CLAIMED' }]);
  }
  expect(await agent.complete(id, { attempt, output: {} })).toMatchObject({
    status: 'COMPLETED',
    attempt: 1,
  });
});

scenario('a cancel is told with the next report, and ends when the agent gives the job back', async () => {
  const { agent, id, attempt } = await atWork();
  await agent.report(id, { attempt, status: 'RUNNING' });
  await api.cancel(id, { reason: 'enough', graceSeconds: 20 });
  const told = await agent.report(id, { attempt });
  expect(told.stop).toMatchObject({ kind: 'cancel', mode: 'graceful', graceSeconds: 20, reason: 'enough' });
  expect((await agent.beat([{ id, attempt }])).jobs).toMatchObject([{ stop: { kind: 'cancel' } }]);
  await refused(agent.completeAnswer(id, { attempt, output: {} }), 409, 'transition-refused');
  await refused(agent.reportAnswer(id, { attempt, status: 'UPLOADING' }), 409, 'transition-refused');
  expect(await agent.giveBack(id, { attempt }).then((answer) => answer.json())).toMatchObject({
    status: 'CANCELED',
  });
  expect(await api.ended(id)).toMatchObject({
    status: 'CANCELED',
    cancelForced: false,
    cancelDeliveredAt: expect.any(String),
    cancelDeadlineAt: told.stop?.deadlineAt,
  });
});

scenario('an agent that does not heed a cancel is given up on, visibly', async () => {
  const { agent, id, attempt } = await atWork();
  await api.cancel(id, { mode: 'force' });
  expect(await api.ended(id)).toMatchObject({ status: 'CANCELED', cancelForced: true });
  expect((await api.history(id)).at(-1)).toMatchObject({ data: { forced: true, acknowledgedAt: null } });
  await refused(agent.completeAnswer(id, { attempt, output: {} }), 409, 'stale-attempt');
});

scenario('a reassign is told as well, and the job goes to the agent named', async () => {
  const { agent, id, attempt } = await atWork();
  const next = await newAgent();
  expect((await api.reassign(id, { agentId: next.id, reason: 'go there', graceSeconds: 20 })).status).toBe(
    202,
  );
  const { stop } = await agent.report(id, { attempt });
  expect(stop).toMatchObject({ kind: 'reassign', reason: 'go there' });
  await agent.giveBack(id, { attempt });
  expect(await next.claim({ waitSeconds: 20 })).toMatchObject({ id, attempt: 2 });
  const event = (await api.history(id)).find(({ type }) => type === 'reassigned');
  expect(event).toMatchObject({
    message: 'go there',
    agentId: agent.id,
    data: { from: { agentId: agent.id }, to: { agentId: next.id }, acknowledgedAt: expect.any(String) },
  });
});

scenario('a job is not reassigned any more once its result is being uploaded, or it has ended', async () => {
  const { agent, id, attempt } = await atWork();
  await agent.report(id, { attempt, status: 'UPLOADING' });
  await refused(api.reassign(id, { anyone: true }), 409, 'transition-refused');
  await agent.complete(id, { attempt, output: {} });
  await refused(api.reassign(id, { anyone: true }), 409, 'transition-refused');
});

scenario(
  'a job that is given back goes to another agent and counts no loss; one that fails is FAILED',
  async () => {
    const { agent, id, pool, attempt } = await atWork();
    await agent.giveBack(id, { attempt, reason: 'closing for today' });
    const next = await newAgent({ pools: [pool] });
    const again = await next.claim({ waitSeconds: 20 });
    expect(again).toMatchObject({ id, attempt: 2 });
    await next.fail(id, { attempt: 2, code: 'invalid-input', detail: 'no column price' });
    expect(await api.ended(id)).toMatchObject({
      status: 'FAILED',
      error: { code: 'invalid-input', detail: 'no column price' },
    });
    const life = await lifeOf(api, id);
    expect(life).toContain('givenBack');
    expect(life).not.toContain('agentLost');
  },
);

scenario('while an agent drains it is given nothing, and after that it is', async () => {
  const pool = 'drained';
  const agent = await newAgent({ pools: [pool] });
  expect((await api.post(`/v1/agents/${agent.id}:drain`, {})).status).toBe(202);
  expect(await agent.beat()).toMatchObject({ draining: true });
  const { id } = await submitByHand(api, { pool });
  await api.until(id, 'told why it waits', ({ waitingReason }) => waitingReason?.kind === 'draining');
  expect(await agent.claim({ waitSeconds: 1 })).toBeUndefined();
  const waiting = agent.claim({ waitSeconds: 30 });
  expect((await api.post(`/v1/agents/${agent.id}:resume`, {})).status).toBe(202);
  expect(await waiting).toMatchObject({ id });
});

scenario('a key of an agent opens what its agent holds, and nothing else', async () => {
  const { agent, id, attempt } = await atWork();
  const stranger = await newAgent();
  await refused(stranger.reportAnswer(id, { attempt }), 404, 'not-found');
  await refused(stranger.completeAnswer(id, { attempt, output: {} }), 404, 'not-found');
  await refused(agent.reportAnswer(id, { attempt: 7 }), 404, 'not-found');
  await refused(agent.client.post(`/v1/agents/${stranger.id}/claim`, {}), 404, 'not-found');
  const file = await api.upload({ text: 'secret' });
  await refused(agent.client.call('GET', `/v1/files/${file}/content`), 404, 'not-found');
  for (const [method, path] of [
    ['GET', `/v1/jobs/${id}`],
    ['GET', '/v1/jobs'],
    ['POST', '/v1/jobs'],
    ['POST', `/v1/jobs/${id}:cancel`],
    ['GET', '/v1/agents'],
    ['POST', '/v1/keys'],
  ] as const) {
    await refused(agent.client.call(method, path), 403, 'forbidden');
  }
  await refused(
    agent.client.post('/v1/agents', { id: stranger.id, functions: [{ name: 'by-hand', version: '1.0.0' }] }),
    403,
    'forbidden',
  );
});
