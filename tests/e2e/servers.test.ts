import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import { expectCompletedOnce } from './support/life.ts';
import type { Program } from './support/program.ts';
import { type OwnServers, ownServers } from './support/servers.ts';

let here: House;
let servers: OwnServers;
let api: Api;
let orchestrator: Program;

const { scenario } = house(
  ({ folder, runFolder }) => ownServers(folder, runFolder),
  async (opened, started) => {
    here = opened;
    servers = started;
    [api, orchestrator] = await Promise.all([
      here.startApi(),
      here.startOrchestrator(),
      // A server that is away for a moment is no reason to call the agent lost.
      here.startAgent({ AGENT_LEASE_SECONDS: '15' }),
    ]);
  },
);

/** More jobs than the agent has slots: when this resolves some run, and some wait. */
async function jobsUnderWay(): Promise<string[]> {
  const requests = [
    ...Array.from({ length: 3 }, () => ({ function: 'count', parameters: { to: 20, everyMs: 100 } })),
    ...Array.from({ length: 3 }, () => ({ function: 'sleep', parameters: { seconds: 1 } })),
    { function: 'echo', parameters: { last: true } },
  ];
  const jobs = await Promise.all(requests.map((request) => api.submit(request)));
  const ids = jobs.map(({ id }) => id);
  await waitFor(
    async () => {
      const statuses = (await api.list()).filter(({ id }) => ids.includes(id)).map(({ status }) => status);
      return statuses.filter((status) => status === 'RUNNING').length >= 3;
    },
    { what: 'jobs to run' },
  );
  return ids;
}

async function expectAllCompletedOnce(ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => expectCompletedOnce(api, id)));
}

scenario('killing the orchestrator in the middle of jobs loses none', async () => {
  const ids = await jobsUnderWay();
  await orchestrator.kill();
  const late = await api.submit({ function: 'echo', parameters: { late: true } });
  orchestrator = await here.startOrchestrator();
  await expectAllCompletedOnce([...ids, late.id]);
});

scenario('killing the API in the middle of submits loses no job and makes none twice', async () => {
  const labels = { batch: randomUUID() };
  const asked = Array.from({ length: 20 }, () => randomUUID());
  const submit = (key: string) => {
    const request = { function: 'echo', parameters: { key }, labels };
    // A consumer that got no answer asks again with the same key.
    return waitFor(() => api.submit(request, { 'idempotency-key': key }), {
      what: 'an answer',
      timeoutMs: 60_000,
    });
  };
  const submitted = Promise.all(asked.map(submit));
  await waitFor(async () => (await api.list()).some((job) => job.labels['batch'] === labels.batch), {
    what: 'the first of them',
    everyMs: 1,
  });
  await api.program().kill();
  await api.startAgain();
  const jobs = await submitted;
  const made = (await api.list()).filter((job) => job.labels['batch'] === labels.batch);
  expect(made.map(({ id }) => id).sort()).toEqual(jobs.map(({ id }) => id).sort());
  await expectAllCompletedOnce(made.map(({ id }) => id));
});

scenario(
  'killing Temporal in the middle of jobs, and starting it again on its file, loses none',
  async () => {
    const ids = await jobsUnderWay();
    await servers.temporal.kill();
    await servers.temporal.start();
    await expectAllCompletedOnce(ids);
  },
);

scenario('killing PostgreSQL in the middle of jobs, and starting it again, loses none', async () => {
  const ids = await jobsUnderWay();
  await servers.postgres.kill();
  await servers.postgres.start();
  await expectAllCompletedOnce(ids);
  const { id } = await api.submit({ function: 'count', parameters: { to: 2, everyMs: 0 } });
  await expectCompletedOnce(api, id);
  expect((await api.logs(id)).map(({ text }) => text)).toEqual(['1 of 2', '2 of 2']);
});

scenario('a job submitted while Temporal is away is accepted, and runs when it is back', async () => {
  await servers.temporal.kill();
  const answer = await api.post('/v1/jobs', { function: 'echo', parameters: { patient: true } });
  expect(answer.status).toBe(201);
  const { id } = (await answer.json()) as { id: string };
  expect(await api.job(id)).toMatchObject({ status: 'CREATED', source: 'record' });
  const cancel = await api.cancel(id);
  expect([cancel.status, await cancel.json()]).toMatchObject([503, { code: 'unavailable' }]);
  await servers.temporal.start();
  await expectCompletedOnce(api, id);
});

scenario('while PostgreSQL is away a submit is refused and makes no job', async () => {
  await servers.postgres.kill();
  const labels = { refused: randomUUID() };
  const answer = await api.post('/v1/jobs', { function: 'echo', parameters: {}, labels });
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'unavailable' }]);
  expect((await api.call('GET', '/livez')).status).toBe(200);
  expect((await api.call('GET', '/readyz')).status).toBe(503);
  await servers.postgres.start();
  const jobs = await waitFor(() => api.list(), { what: 'the API to find PostgreSQL again' });
  expect(jobs.filter((job) => job.labels['refused'] === labels.refused)).toEqual([]);
});

scenario('a job for later survives the death of everything, and runs once, when it is due', async () => {
  const notBefore = new Date(Date.now() + 12_000).toISOString();
  const { id } = await api.submit({ function: 'echo', parameters: { patient: true }, notBefore });
  await Promise.all([
    orchestrator.kill(),
    api.program().kill(),
    servers.temporal.kill(),
    servers.postgres.kill(),
  ]);
  await Promise.all([servers.temporal.start(), servers.postgres.start()]);
  await api.startAgain();
  orchestrator = await here.startOrchestrator();
  await expectCompletedOnce(api, id);
  const { startedAt } = await api.job(id);
  expect(Date.parse(startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(notBefore));
});
