import { expect } from '@jest/globals';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import { lifeOf } from './support/life.ts';
import { functionProcessOf, type Program, untilGone } from './support/program.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;
let agent: Program;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api, , agent] = await Promise.all([here.startApi(), here.startOrchestrator(), here.startAgent()]);
});

const sleeping = (seconds: number) => ({ function: 'sleep', parameters: { seconds } });

/** With no other job about, whatever became of the scenario before. */
async function runningSleep(seconds = 600): Promise<{ id: string; process: number }> {
  const left = (await api.list()).filter(({ endedAt }) => endedAt === null);
  for (const { id } of left) await api.cancel(id, { mode: 'force' });
  for (const { id } of left) await api.ended(id);
  const { id } = await api.submit(sleeping(seconds));
  await api.running(id);
  return { id, process: await functionProcessOf(agent) };
}
const workflow = (command: string, id: string, ...args: string[]) =>
  here.operator('workflow', command, '--workflow-id', id, ...args);
const activity = (command: string, id: string, activityId: string, ...args: string[]) =>
  here.operator('activity', command, '--workflow-id', id, '--activity-id', activityId, ...args);
const reset = (id: string, type: string) => workflow('reset', id, '--type', type, '--reason', 'from the top');
const eventOf = async (id: string, type: string) =>
  (await api.history(id)).find((event) => event.type === type);
const attempt = (id: string, number: number) =>
  api.until(
    id,
    `RUNNING in attempt ${number}`,
    ({ status, attempt }) => status === 'RUNNING' && attempt === number,
  );
const nativeStatus = async (id: string): Promise<string> => {
  const described = await here.operator('workflow', 'describe', '--workflow-id', id, '--output', 'json');
  return (JSON.parse(described) as { workflowExecutionInfo: { status: string } }).workflowExecutionInfo
    .status;
};
const untilDeleted = (id: string) =>
  waitFor(
    () =>
      nativeStatus(id).then(
        () => false,
        () => true,
      ),
    { what: 'the deletion', timeoutMs: 60_000, everyMs: 500 },
  );

scenario('who terminated a workflow, and why, stands in the history', async () => {
  const { id, process } = await runningSleep();
  await workflow('terminate', id, '--reason', 'by hand');
  expect(await api.ended(id)).toMatchObject({ status: 'FAILED', error: { code: 'terminated' } });
  expect(await eventOf(id, 'failed')).toMatchObject({
    actor: expect.stringMatching(/\S/),
    message: expect.stringContaining('by hand'),
    code: 'terminated',
  });
  expect((await eventOf(id, 'failed'))?.actor).not.toBe('perdure');
  await untilGone(process);
});

for (const type of ['FirstWorkflowTask', 'LastWorkflowTask']) {
  scenario(
    `a job under way that is reset to its ${type} goes on in a new attempt, and says who did it`,
    async () => {
      const { id, process } = await runningSleep();
      await reset(id, type);
      await attempt(id, 2);
      await untilGone(process);
      expect(await eventOf(id, 'reset')).toMatchObject({
        status: expect.stringMatching(/^(CREATED|PENDING)$/),
        message: expect.stringContaining('from the top'),
        actor: expect.stringMatching(/\S/),
      });
      const events = await api.history(id);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      const claims = events.filter(({ type }) => type === 'claimed').map(({ attempt }) => attempt);
      expect(claims).toEqual([1, 2]);
      await api.cancel(id);
      expect(await api.ended(id)).toMatchObject({ status: 'CANCELED', attempt: 2 });
      expect((await lifeOf(api, id)).filter((type) => type === 'canceled')).toHaveLength(1);
    },
  );
}

scenario('a job that is reset twice while it waits is still one job, and completes', async () => {
  const { id } = await api.submit({ ...sleeping(0.1), notBefore: soon() });
  await waitFor(async () => (await nativeStatus(id)) !== '', { what: 'the workflow' });
  await reset(id, 'FirstWorkflowTask');
  await reset(id, 'FirstWorkflowTask');
  expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED' });
});

scenario('a cancel that comes with a reset is not lost', async () => {
  const { id, process } = await runningSleep();
  await api.cancel(id, { reason: 'enough', graceSeconds: 600 });
  await reset(id, 'FirstWorkflowTask');
  expect(await api.ended(id)).toMatchObject({ status: 'CANCELED' });
  await untilGone(process);
});

scenario(
  'a job that has ended stays as it is when its workflow is reset, and the new run says why',
  async () => {
    const { id } = await api.submit({ function: 'echo', parameters: { a: 1 } });
    const ended = await api.ended(id);
    expect(ended.status).toBe('COMPLETED');
    const before = await api.history(id);
    await reset(id, 'FirstWorkflowTask');
    await waitFor(async () => (await nativeStatus(id)) === 'WORKFLOW_EXECUTION_STATUS_FAILED', {
      what: 'the run of the reset to end',
    });
    expect(await workflow('show', id)).toContain('a reset cannot reopen it');
    expect(await api.job(id)).toMatchObject({ status: 'COMPLETED', revision: ended.revision });
    expect(await api.history(id)).toEqual(before);
  },
);

scenario('what has ended is answered the same once Temporal no longer has it', async () => {
  const { id } = await api.submit({ function: 'echo', parameters: { a: 1 } });
  const ended = await api.ended(id);
  const all = async () => ({
    job: { ...(await api.job(id)), asOf: '' },
    history: await api.history(id),
    logs: await api.logs(id),
    result: await (await api.call('GET', `/v1/jobs/${id}/result`)).text(),
  });
  const before = await all();
  await workflow('delete', id);
  await untilDeleted(id);
  expect(await all()).toEqual(before);
  expect(before.job.revision).toBe(ended.revision);
});

scenario('a stage that an operator pauses waits, visibly, and the job goes on after it', async () => {
  const { id, process } = await runningSleep(5);
  await activity('pause', id, 'execute-1');
  await untilGone(process);
  const paused = await api.until(id, 'paused', ({ lastFailure }) => lastFailure !== null);
  expect(paused).toMatchObject({
    status: 'RUNNING',
    lastFailure: { code: 'stage-interrupted', detail: expect.stringContaining('paused') },
  });
  await activity('unpause', id, 'execute-1');
  expect(await api.ended(id)).toMatchObject({
    status: 'COMPLETED',
    attempt: 1,
    lastFailure: expect.anything(),
  });
});

scenario('a stage whose options an operator changes goes on', async () => {
  const { id } = await runningSleep(3);
  await activity('update-options', id, 'execute-1', '--heartbeat-timeout', '30s');
  expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED', attempt: 1 });
});

scenario('a stage that an operator completes with nonsense ends the job, and wedges nothing', async () => {
  const { id, process } = await runningSleep();
  await activity('complete', id, 'execute-1', '--result', '"nonsense"');
  expect(await api.ended(id)).toMatchObject({ status: 'FAILED', error: { code: 'output-invalid' } });
  await untilGone(process);
});

scenario('a stage that an operator fails ends the job, with the reason', async () => {
  const { id, process } = await runningSleep();
  await activity('fail', id, 'execute-1', '--reason', 'by hand');
  expect(await api.ended(id)).toMatchObject({ status: 'FAILED' });
  expect((await eventOf(id, 'failed'))?.message).toContain('by hand');
  await untilGone(process);
});

scenario('signals and updates that make no sense are refused, and the job goes on', async () => {
  const { id } = await runningSleep(5);
  await workflow('signal', id, '--name', 'cancel', '--input', '"now"');
  await workflow('signal', id, '--name', 'stop', '--input', '{}');
  await expect(
    here.operator('workflow', 'update', 'execute', '--workflow-id', id, '--name', 'claim', '--input', '7'),
  ).rejects.toThrow();
  await expect(
    here.operator('workflow', 'update', 'execute', '--workflow-id', id, '--name', 'nothing', '--input', '7'),
  ).rejects.toThrow();
  expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED' });
  const refused = (await api.history(id)).filter(({ type }) => type === 'commandRefused');
  expect(refused).toHaveLength(2);
});

function soon(): string {
  return new Date(Date.now() + 3_000).toISOString();
}
