import { expect } from '@jest/globals';
import { waitFor } from '../support/wait.ts';
import { httpAgentAtWork, newHttpAgent, registerByHand, submitByHand } from './support/http-agent.ts';
import { type Api, house, type House } from './support/house.ts';
import { lifeOf } from './support/life.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import { functionProcessOf, type Program, untilGone } from './support/program.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;
let agent: Program;
let stumbling: Program;
let operator: Operator;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api, , agent] = await Promise.all([here.startApi(), here.startOrchestrator(), here.startAgent()]);
  // The database is there by now.
  stumbling = await here.startEmbeddedAgent(import.meta.resolve('../fixtures/functions/odd.ts'));
  operator = operatorOf(here, api);
  await registerByHand(api);
});

/** With no other job about, whatever became of the scenario before. */
async function runningSleep(seconds = 600): Promise<{ id: string; process: number }> {
  const left = (await api.list()).filter(({ endedAt }) => endedAt === null);
  for (const { id } of left) await api.cancel(id, { mode: 'force' });
  for (const { id } of left) await api.ended(id);
  const { id } = await api.submit({ function: 'sleep', parameters: { seconds } });
  await api.running(id);
  return { id, process: await functionProcessOf(agent) };
}

scenario('a stage that an operator pauses waits, visibly, and the job goes on after it', async () => {
  const { id, process } = await runningSleep(5);
  await operator.activity('pause', id, 'execute-1');
  await untilGone(process);
  const paused = await api.until(id, 'paused', ({ lastFailure }) => lastFailure !== null);
  expect(paused).toMatchObject({
    status: 'RUNNING',
    lastFailure: { code: 'stage-interrupted', detail: expect.stringContaining('paused') },
  });
  expect(await operator.untilEvent(id, 'interrupted')).toMatchObject({
    status: 'RUNNING',
    actor: expect.stringMatching(/^temporal-cli/),
    code: 'stage-interrupted',
    data: { activityId: 'execute-1', how: 'paused' },
  });
  const waits = async () => (await operator.pendingActivity(id)).state === 'PENDING_ACTIVITY_STATE_PAUSED';
  await waitFor(waits, { what: 'the try to be over', everyMs: 100 });
  await operator.activity('unpause', id, 'execute-1');
  expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
  // The housekeeping saw the pause as well: it was told of once.
  expect((await lifeOf(api, id)).filter((type) => type === 'interrupted')).toHaveLength(1);
});

scenario(
  'a job whose claim an operator has paused says so, and is claimed all the same by whom it waits for',
  async () => {
    const { id } = await submitByHand(api);
    await api.until(id, 'PENDING', ({ status }) => status === 'PENDING');
    await operator.activity(
      'pause',
      id,
      await operator.pendingActivity(id).then(({ activityId }) => activityId),
    );
    expect(await operator.untilEvent(id, 'interrupted')).toMatchObject({
      status: 'PENDING',
      data: { how: 'paused' },
    });
    const http = await newHttpAgent(api);
    expect(await http.claim({ waitSeconds: 20 })).toMatchObject({ id, attempt: 1 });
    expect(await http.complete(id, { attempt: 1, output: {} })).toMatchObject({ status: 'COMPLETED' });
  },
);

scenario(
  'a pause that is over before the stage has ended costs an attempt at most, and not the job',
  async () => {
    const { id, process } = await runningSleep(3);
    await operator.activity('pause', id, 'execute-1');
    await untilGone(process);
    await operator.activity('unpause', id, 'execute-1');
    expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED', error: null });
  },
);

scenario('a stage that an operator resets, and that has one try, gives the job back', async () => {
  const { id, process } = await runningSleep(5);
  await operator.activity('reset', id, 'execute-1');
  await untilGone(process);
  expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED', attempt: 2, error: null });
  const life = await lifeOf(api, id);
  expect(life).not.toContain('agentLost');
  expect(life.slice(5, 8)).toEqual(['interrupted', 'givenBack', 'claimed']);
  expect(await operator.eventOf(id, 'givenBack')).toMatchObject({
    status: 'PENDING',
    message: 'the activity execute-1 was reset in Temporal',
  });
});

scenario('a stage that an operator resets in its second try goes on in the same attempt', async () => {
  const { id } = await api.submit({ function: 'stumbles-once', parameters: { seconds: 3 } });
  await api.until(id, 'tried again', ({ lastFailure }) => lastFailure !== null);
  const process = await functionProcessOf(stumbling);
  await operator.activity('reset', id, 'execute-1');
  await untilGone(process);
  expect(await operator.untilEvent(id, 'interrupted')).toMatchObject({
    status: 'RUNNING',
    data: { activityId: 'execute-1', how: 'reset' },
  });
  expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED', attempt: 1, error: null });
});

scenario('a stage whose options an operator changes goes on', async () => {
  const { id } = await runningSleep(3);
  await operator.activity('update-options', id, 'execute-1', '--heartbeat-timeout', '30s');
  expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
});

scenario('a stage that an operator completes with nonsense ends the job, and wedges nothing', async () => {
  const { id, process } = await runningSleep();
  await operator.activity('complete', id, 'execute-1', '--result', '"nonsense"');
  expect(await api.ended(id)).toMatchObject({ status: 'FAILED', error: { code: 'output-invalid' } });
  await untilGone(process);
});

scenario('a stage that an operator fails ends the job, with the reason', async () => {
  const { id, process } = await runningSleep();
  await operator.activity('fail', id, 'execute-1', '--reason', 'by hand');
  expect(await api.ended(id)).toMatchObject({ status: 'FAILED' });
  expect((await operator.eventOf(id, 'failed'))?.message).toContain('by hand');
  await untilGone(process);
});

scenario(
  'a job of an HTTP agent that an operator pauses says so; the agent goes on, and completes',
  async () => {
    const { agent: http, id, attempt } = await httpAgentAtWork(api);
    await operator.activity('pause', id, 'hold-1');
    expect(await operator.untilEvent(id, 'interrupted')).toMatchObject({
      data: { activityId: 'hold-1', how: 'paused' },
    });
    expect(await http.report(id, { attempt, status: 'RUNNING' })).toMatchObject({ status: 'RUNNING' });
    expect(await http.complete(id, { attempt, output: {} })).toMatchObject({
      status: 'COMPLETED',
      attempt: 1,
    });
  },
);

scenario(
  'a paused job whose HTTP agent falls silent waits until it is unpaused, and then goes elsewhere',
  async () => {
    const { id, pool } = await httpAgentAtWork(api, { leaseSeconds: 1 });
    await operator.activity('pause', id, 'hold-1');
    const next = await newHttpAgent(api, { pools: [pool] });
    const claiming = next.claim({ waitSeconds: 60 });
    await operator.untilEvent(id, 'interrupted');
    // Another that began later has lost its job to its silence by now.
    const later = await httpAgentAtWork(api, { leaseSeconds: 1 });
    await operator.untilEvent(later.id, 'agentLost');
    expect(await api.job(id)).toMatchObject({ status: 'CLAIMED', attempt: 1 });
    await operator.activity('unpause', id, 'hold-1');
    expect(await claiming).toMatchObject({ id, attempt: 2 });
    expect(await next.complete(id, { attempt: 2, output: {} })).toMatchObject({ status: 'COMPLETED' });
  },
);

scenario('a job of an HTTP agent that an operator resets is given back with the next beat', async () => {
  const { agent: http, id, pool, attempt } = await httpAgentAtWork(api);
  await operator.activity('reset', id, 'hold-1');
  const next = await newHttpAgent(api, { pools: [pool] });
  const claiming = next.claim({ waitSeconds: 30 });
  await http.beat([{ id, attempt }]);
  expect(await claiming).toMatchObject({ id, attempt: 2 });
  expect(await http.beat([{ id, attempt }])).toMatchObject({ jobs: [], lost: [{ id, attempt }] });
  await next.complete(id, { attempt: 2, output: {} });
  expect(await operator.eventOf(id, 'givenBack')).toMatchObject({
    message: 'the activity hold-1 was reset in Temporal',
  });
});
