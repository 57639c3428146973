import { expect } from '@jest/globals';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import { lifeOf } from './support/life.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import { functionProcessOf, type Program, untilGone } from './support/program.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;
let agent: Program;
let operator: Operator;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api, , agent] = await Promise.all([here.startApi(), here.startOrchestrator(), here.startAgent()]);
  operator = operatorOf(here, api);
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
const reset = (id: string, type: string) =>
  operator.workflow('reset', id, '--type', type, '--reason', 'from the top');
const attempt = (id: string, number: number) =>
  api.until(
    id,
    `RUNNING in attempt ${number}`,
    ({ status, attempt }) => status === 'RUNNING' && attempt === number,
  );

scenario('who terminated a workflow, and why, stands in the history', async () => {
  const { id, process } = await runningSleep();
  await operator.workflow('terminate', id, '--reason', 'by hand');
  expect(await api.ended(id)).toMatchObject({ status: 'FAILED', error: { code: 'terminated' } });
  expect(await operator.eventOf(id, 'failed')).toMatchObject({
    actor: expect.stringMatching(/\S/),
    message: expect.stringContaining('by hand'),
    code: 'terminated',
  });
  expect((await operator.eventOf(id, 'failed'))?.actor).not.toBe('perdure');
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
      expect(await operator.eventOf(id, 'reset')).toMatchObject({
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
  await waitFor(async () => (await operator.nativeStatus(id)) !== '', { what: 'the workflow' });
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
    await waitFor(async () => (await operator.nativeStatus(id)) === 'WORKFLOW_EXECUTION_STATUS_FAILED', {
      what: 'the run of the reset to end',
    });
    expect(await operator.workflow('show', id)).toContain('a reset cannot reopen it');
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
  await operator.workflow('delete', id);
  await operator.untilDeleted(id);
  expect(await all()).toEqual(before);
  expect(before.job.revision).toBe(ended.revision);
});

scenario('signals and updates that make no sense are refused, and the job goes on', async () => {
  const { id } = await runningSleep(5);
  await operator.workflow('signal', id, '--name', 'cancel', '--input', '"now"');
  await operator.workflow('signal', id, '--name', 'stop', '--input', '{}');
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
