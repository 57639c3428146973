import { expect } from '@jest/globals';
import { Job } from '@perdure/job/schemas';
import { join } from 'node:path';
import { root } from '../../apps/local/src/folders.ts';
import { isAlive } from '../support/alive.ts';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import { lifeOf } from './support/life.ts';
import { functionProcessOf, type Program, untilGone } from './support/program.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;
let orchestrator: Program;
let agent: Program;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api, orchestrator, agent] = await Promise.all([
    here.startApi(),
    here.startOrchestrator(),
    here.startAgent({ AGENT_PACKS: 'reference,evaluation', AGENT_POOL: 'north' }),
  ]);
});

const sleeping = { function: 'sleep', parameters: { seconds: 600 } };

async function runningSleep(): Promise<{ id: string; process: number }> {
  const { id } = await api.submit(sleeping);
  await api.running(id);
  return { id, process: await functionProcessOf(agent) };
}

/** A `predict` whose inference, once begun, blocks its process for minutes. */
async function runningSlowModel(): Promise<{ id: string; process: number }> {
  const [model, modelCard, data] = await Promise.all(
    [
      'tests/fixtures/models/slow/model.onnx',
      'tests/fixtures/models/slow/model.json',
      'examples/breast-cancer/score.csv',
    ].map((path) => api.upload({ path: join(root, path) })),
  );
  const parameters = { model: model ?? '', modelCard: modelCard ?? '', data: data ?? '' };
  const { id } = await api.submit({ function: 'predict', parameters });
  await api.running(id);
  await waitFor(async () => (await api.logs(id)).some(({ text }) => text.includes('is loaded')), {
    what: 'the inference',
  });
  return { id, process: await functionProcessOf(agent) };
}

scenario('a canceled sleep is CANCELED and its process is gone', async () => {
  const { id, process } = await runningSleep();
  const answer = await api.cancel(id, { reason: 'enough' });
  expect(answer.status).toBe(202);
  const job = await api.ended(id);
  expect(job).toMatchObject({ status: 'CANCELED', error: { code: 'canceled' } });
  expect(job.cancelRequestedAt).not.toBeNull();
  expect(job.cancelDeliveredAt).not.toBeNull();
  expect(await isAlive(process)).toBe(false);
  const canceled = (await api.history(id)).at(-1);
  expect(canceled).toMatchObject({ type: 'canceled', message: 'enough', data: { forced: false } });
});

scenario(
  'a canceled inference that hears nothing is CANCELED after its grace time and its process is gone',
  async () => {
    const { id, process } = await runningSlowModel();
    await api.cancel(id, { graceSeconds: 1 });
    expect(await api.ended(id)).toMatchObject({ status: 'CANCELED', files: [] });
    expect(await isAlive(process)).toBe(false);
    expect((await api.call('GET', `/v1/jobs/${id}/result`)).status).toBe(409);
  },
);

scenario('a forced cancel waits for nobody, and overtakes one that waits', async () => {
  const { id, process } = await runningSlowModel();
  await api.cancel(id, { graceSeconds: 600 });
  await api.until(id, 'told to stop', ({ cancelRequestedAt }) => cancelRequestedAt !== null);
  await api.cancel(id, { mode: 'force' });
  expect(await api.ended(id)).toMatchObject({ status: 'CANCELED' });
  await untilGone(process);
});

scenario(
  'a cancel while the job waits for an agent ends it at once, and a second one changes nothing',
  async () => {
    const nobody = await here.startAgent({ AGENT_POOL: 'empty' });
    await nobody.kill();
    const { id } = await api.submit({ ...sleeping, pool: 'empty' });
    await api.until(id, 'PENDING', ({ status }) => status === 'PENDING');
    const answers = await Promise.all([api.cancel(id), api.cancel(id)]);
    expect(answers.map(({ status }) => status).every((status) => status === 202 || status === 200)).toBe(
      true,
    );
    const ended = await api.ended(id);
    expect(ended).toMatchObject({ status: 'CANCELED', attempt: 0 });
    const again = await api.cancel(id, { reason: 'once more' });
    expect(again.status).toBe(200);
    expect(Job.parse(await again.json())).toMatchObject({ status: 'CANCELED', revision: ended.revision });
    const life = await lifeOf(api, id);
    expect(life.filter((type) => type === 'canceled')).toHaveLength(1);
    expect(life.at(-1)).toBe('canceled');
  },
);

scenario('a workflow that an operator terminates is a FAILED job, and its process is gone', async () => {
  const { id, process } = await runningSleep();
  await here.operator('workflow', 'terminate', '--workflow-id', id, '--reason', 'by hand');
  const job = await api.ended(id);
  expect(job).toMatchObject({ status: 'FAILED', error: { code: 'terminated' } });
  expect(job.error?.detail).toContain('by hand');
  await untilGone(process);
  expect((await lifeOf(api, id)).at(-1)).toBe('failed');
});

scenario('a workflow that an operator cancels is a CANCELED job, and its process is gone', async () => {
  const { id, process } = await runningSleep();
  await here.operator('workflow', 'cancel', '--workflow-id', id);
  expect(await api.ended(id)).toMatchObject({ status: 'CANCELED' });
  expect((await api.history(id)).at(-1)).toMatchObject({ type: 'canceled', actor: 'temporal' });
  await untilGone(process);
});

/** Kills the orchestrator, and starts it again afterwards whatever happens meanwhile. */
async function withoutOrchestrator(body: () => Promise<void>): Promise<void> {
  await orchestrator.kill();
  try {
    await body();
  } finally {
    orchestrator = await here.startOrchestrator();
  }
}

async function timely(id: string): Promise<Job> {
  const asked = performance.now();
  const answer = await api.job(id);
  expect(performance.now() - asked).toBeLessThan(1_500);
  return answer;
}

scenario('while no worker runs, the status is answered in time, from the record', async () => {
  const { id } = await runningSleep();
  let other = id;
  await withoutOrchestrator(async () => {
    other = (await api.submit({ function: 'echo', parameters: {} })).id;
    // For a moment the workflow's last word still stands.
    await waitFor(async () => (await timely(id)).source === 'record', { what: 'the record to be asked' });
    const answers = await Promise.all([timely(id), timely(other), timely(id)]);
    expect(answers.map(({ source, status }) => [source, status])).toEqual([
      ['record', 'RUNNING'],
      ['record', 'CREATED'],
      ['record', 'RUNNING'],
    ]);
    // What is asked meanwhile is not lost.
    expect((await api.cancel(id)).status).toBe(202);
  });
  expect(await api.ended(id)).toMatchObject({ status: 'CANCELED' });
  expect(await api.ended(other)).toMatchObject({ status: 'COMPLETED' });
});

scenario('a workflow that was deleted is a FAILED job, and UNKNOWN until that is found', async () => {
  const { id, process } = await runningSleep();
  // Nobody is to see it terminated on its way to deletion.
  await withoutOrchestrator(async () => {
    await here.operator('workflow', 'delete', '--workflow-id', id);
    const deleted = () =>
      here.operator('workflow', 'describe', '--workflow-id', id).then(
        () => false,
        () => true,
      );
    await waitFor(deleted, { what: 'the deletion', timeoutMs: 60_000, everyMs: 500 });
    await api.until(id, 'UNKNOWN', ({ status }) => status === 'UNKNOWN');
  });
  await api.until(id, 'FAILED', ({ status }) => status === 'FAILED');
  expect(await api.job(id)).toMatchObject({ error: { code: 'workflow-gone' } });
  await untilGone(process);
});
