import { expect } from '@jest/globals';
import type { Job } from '@perdure/job/schemas';
import { isAlive } from '../support/alive.ts';
import { waitFor } from '../support/wait.ts';
import { httpAgentAtWork, registerByHand } from './support/http-agent.ts';
import { type Api, house, type House } from './support/house.ts';
import { lifeOf } from './support/life.ts';
import { functionProcessOf, type Program } from './support/program.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;
let agent: Program;
let orchestrator: Program;

const odd = new URL('../fixtures/functions/odd.ts', import.meta.url).href;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api, orchestrator] = await Promise.all([here.startApi(), here.startOrchestrator()]);
  agent = await here.startEmbeddedAgent(odd);
  await registerByHand(api);
});

async function running(name: string): Promise<{ id: string; process: number }> {
  const { id } = await api.submit({ function: name, parameters: {} });
  await api.running(id);
  return { id, process: await functionProcessOf(agent) };
}
const said = async (id: string) => (await api.logs(id)).map(({ text }) => text);
const untilSays = (id: string, text: string) =>
  waitFor(async () => (await said(id)).includes(text), { what: `the line '${text}'` });
const eventOf = async (id: string, type: string) =>
  (await api.history(id)).find((event) => event.type === type);

scenario(
  'a graceful cancel lets the function clean up, and shows when it was asked, delivered and due',
  async () => {
    const { id, process } = await running('is-polite');
    await untilSays(id, 'waiting');
    const answer = await api.cancel(id, { graceSeconds: 30, reason: 'enough' });
    const asked = (await answer.json()) as Job;
    expect(asked).toMatchObject({
      cancelRequestedAt: expect.any(String),
      cancelDeadlineAt: expect.any(String),
    });
    const job = await api.ended(id);
    expect(job).toMatchObject({
      status: 'CANCELED',
      cancelForced: false,
      cancelDeliveredAt: expect.any(String),
    });
    const due = Date.parse(job.cancelDeadlineAt ?? '') - Date.parse(job.cancelRequestedAt ?? '');
    expect(due).toBeGreaterThanOrEqual(30_000);
    expect(await said(id)).toEqual(['waiting', 'cleaned up']);
    expect(await isAlive(process)).toBe(false);
    expect(await eventOf(id, 'cancelRequested')).toMatchObject({
      message: 'enough',
      data: { mode: 'graceful', graceSeconds: 30, deadlineAt: job.cancelDeadlineAt },
    });
    expect(await eventOf(id, 'canceled')).toMatchObject({
      data: { forced: false, acknowledgedAt: expect.any(String) },
    });
  },
);

scenario(
  'a function that does not heed a cancel is killed when its grace is over, and that shows',
  async () => {
    const { id, process } = await running('is-deaf');
    await untilSays(id, 'waiting');
    await api.cancel(id, { graceSeconds: 1 });
    expect(await api.ended(id)).toMatchObject({ status: 'CANCELED', cancelForced: true });
    expect(await isAlive(process)).toBe(false);
    expect(await eventOf(id, 'canceled')).toMatchObject({
      data: { forced: true, acknowledgedAt: expect.any(String) },
    });
  },
);

scenario('a forced cancel gives no time to clean up', async () => {
  const { id, process } = await running('is-polite');
  await untilSays(id, 'waiting');
  await api.cancel(id, { mode: 'force' });
  expect(await api.ended(id)).toMatchObject({ status: 'CANCELED', cancelForced: true });
  expect(await said(id)).toEqual(['waiting']);
  expect(await isAlive(process)).toBe(false);
});

scenario('a job that was canceled before its workflow could begin never reaches an agent', async () => {
  await orchestrator.kill();
  const { id } = await api.submit({ function: 'is-polite', parameters: {} });
  expect((await api.job(id)).status).toBe('CREATED');
  expect((await api.cancel(id)).status).toBe(202);
  orchestrator = await here.startOrchestrator();
  expect(await api.ended(id)).toMatchObject({ status: 'CANCELED', attempt: 0, cancelForced: false });
});

scenario(
  'a job can be canceled in every state in which an agent has it, and twice is as good as once',
  async () => {
    for (const status of ['CLAIMED', 'VALIDATING', 'RUNNING', 'UPLOADING'] as const) {
      const { agent: holder, id, attempt } = await httpAgentAtWork(api);
      if (status !== 'CLAIMED') await holder.report(id, { attempt, status });
      expect((await api.job(id)).status).toBe(status);
      const answers = await Promise.all([
        api.cancel(id, { graceSeconds: 30 }),
        api.cancel(id, { graceSeconds: 30 }),
      ]);
      expect(answers.map((answer) => answer.status)).toEqual([202, 202]);
      await api.until(id, 'told to stop', ({ cancelRequestedAt }) => cancelRequestedAt !== null);
      await holder.giveBack(id, { attempt });
      expect(await api.ended(id)).toMatchObject({ status: 'CANCELED', cancelForced: false });
      const life = await lifeOf(api, id);
      expect(life.filter((type) => type === 'cancelRequested')).toHaveLength(1);
      expect(life.filter((type) => type === 'canceled')).toHaveLength(1);
    }
  },
);

scenario('a cancel that races with completion ends the job once, one way or the other', async () => {
  const ends = await Promise.all(
    Array.from({ length: 24 }, async (_, index) => {
      const { id } = await api.submit({ function: 'counts-calls', parameters: {} });
      await api.until(id, 'past the queue', ({ attempt }) => attempt > 0 || index % 3 === 0);
      await api.cancel(id, index % 2 === 0 ? {} : { mode: 'force' });
      const { status, output } = await api.ended(id);
      expect(output !== null).toBe(status === 'COMPLETED');
      const life = await lifeOf(api, id);
      expect(life.filter((type) => ['uploaded', 'canceled', 'failed'].includes(type))).toHaveLength(1);
      return status;
    }),
  );
  expect(ends.every((status) => status === 'COMPLETED' || status === 'CANCELED')).toBe(true);
  expect(ends).toContain('CANCELED');
});
