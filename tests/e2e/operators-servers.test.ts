import { expect } from '@jest/globals';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import { expectCompletedOnce } from './support/life.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import type { Program } from './support/program.ts';
import { type OwnServers, ownServers } from './support/servers.ts';

let here: House;
let servers: OwnServers;
let api: Api;
let orchestrator: Program;
let agent: Program;
let operator: Operator;

/** What an operator does is in the record so soon after all is back, with the interval of the housekeeping that is the default. */
const promisedMs = 30_000;

const startWorkers = () =>
  Promise.all([here.startOrchestrator({ HOUSEKEEPING_SECONDS: '10' }), here.startAgent()]);

const { scenario } = house(
  ({ folder, runFolder }) => ownServers(folder, runFolder),
  async (opened, started) => {
    here = opened;
    servers = started;
    [api, [orchestrator, agent]] = await Promise.all([here.startApi(), startWorkers()]);
    operator = operatorOf(here, api);
  },
);

async function running(): Promise<string> {
  const { id } = await api.submit({ function: 'sleep', parameters: { seconds: 600 } });
  await api.running(id);
  return id;
}

/** Ends as told, by the record, within what is promised. */
async function expectEnd(id: string, end: object): Promise<void> {
  const begun = Date.now();
  expect(await api.ended(id)).toMatchObject(end);
  expect(Date.now() - begun).toBeLessThan(promisedMs);
}

scenario(
  'a workflow that is terminated while neither worker nor API runs is FAILED once they are back',
  async () => {
    const id = await running();
    await Promise.all([orchestrator.kill(), agent.kill(), api.program().kill()]);
    await operator.workflow('terminate', id, '--reason', 'while you were out');
    [[orchestrator, agent]] = await Promise.all([startWorkers(), api.startAgain()]);
    await expectEnd(id, { status: 'FAILED', error: { code: 'terminated' } });
    expect((await operator.eventOf(id, 'failed'))?.message).toContain('while you were out');
  },
);

scenario('a workflow that is terminated before Temporal dies is FAILED once that is back', async () => {
  const id = await running();
  await orchestrator.kill();
  await operator.workflow('terminate', id, '--reason', 'and down it goes');
  await servers.temporal.kill();
  orchestrator = await servers.temporal
    .start()
    .then(() => here.startOrchestrator({ HOUSEKEEPING_SECONDS: '10' }));
  await expectEnd(id, { status: 'FAILED', error: { code: 'terminated' } });
});

scenario(
  'without its namespace nothing is lost or claimed to be well; with a new one jobs run again',
  async () => {
    const id = await running();
    await here.operator('operator', 'namespace', 'delete', '--yes', 'default');
    await waitFor(() => !orchestrator.running() && !agent.running(), {
      what: 'the workers to end',
      timeoutMs: 30_000,
    });
    expect(orchestrator.said()).toContain('the namespace default is gone');
    const accepted = await api.submit({ function: 'echo', parameters: {} });
    expect(accepted.status).toBe('CREATED');
    expect(await api.job(id)).toMatchObject({ endedAt: null, source: 'record' });
    expect((await api.cancel(id)).status).toBe(503);
    expect((await api.call('GET', '/readyz')).status).toBe(503);

    await here.operator('operator', 'namespace', 'create', '--retention', '24h', 'default');
    [orchestrator, agent] = await waitFor(startWorkers, { what: 'the workers', timeoutMs: 60_000 });
    await expectCompletedOnce(api, accepted.id);
    await expectEnd(id, { status: 'FAILED', error: { code: 'workflow-gone' } });
  },
  150_000,
);

scenario(
  'a namespace that is replaced at once ends the workers too: the new one is not furnished',
  async () => {
    await here.operator('operator', 'namespace', 'delete', '--yes', 'default');
    await waitFor(() => here.operator('operator', 'namespace', 'create', '--retention', '24h', 'default'), {
      what: 'the name to be free',
      timeoutMs: 30_000,
      everyMs: 200,
    });
    await waitFor(() => !orchestrator.running() && !agent.running(), {
      what: 'the workers to end',
      timeoutMs: 30_000,
    });
    [orchestrator, agent] = await waitFor(startWorkers, { what: 'the workers', timeoutMs: 60_000 });
    const { id } = await api.submit({ function: 'echo', parameters: {} });
    await expectCompletedOnce(api, id);
  },
  150_000,
);
