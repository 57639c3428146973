import { afterAll, beforeAll, expect, test as plain } from '@jest/globals';
import type { Job } from '@perdure/job/schemas';
import { Client, Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../apps/local/src/folders.ts';
import { temporalAddress } from '../support/temporal.ts';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import { expectCompletedOnce, lifeOf } from './support/life.ts';
import { sharedServers } from './support/servers.ts';
import { expectSameTable } from './support/tables.ts';

let here: House;
/** Two replicas of the API. */
let api: Api;
let other: Api;
let connection: Connection;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api, other] = await Promise.all([
    here.startApi(),
    here.startApi(),
    here.startOrchestrator(),
    here.startAgent({ AGENT_PACKS: 'reference,evaluation' }),
  ]);
});

beforeAll(async () => void (connection = await Connection.connect({ address: temporalAddress() })));
afterAll(() => connection.close());
const temporal = () => new Client({ connection, namespace: here.addresses.temporalNamespace });

type Content = Parameters<Api['upload']>[0];

const inExample = (name: string, file: string): Content => ({ path: join(root, 'examples', name, file) });

async function predict(model: Content, modelCard: Content, data: Content): Promise<Job> {
  const [modelId, cardId, dataId] = await Promise.all([model, modelCard, data].map((one) => api.upload(one)));
  const parameters = { model: modelId ?? '', modelCard: cardId ?? '', data: dataId ?? '' };
  return api.submit({ function: 'predict', parameters });
}

plain.each(['breast-cancer', 'diabetes'])('a prediction on %s gives the reference results', async (name) => {
  const job = await predict(
    inExample(name, 'model.onnx'),
    inExample(name, 'model.json'),
    inExample(name, 'score.csv'),
  );
  await expectCompletedOnce(api, job.id);
  // The answer is a redirect to the file.
  const result = await api.call('GET', `/v1/jobs/${job.id}/result`);
  expect(result.headers.get('content-type')).toContain('text/csv');
  expectSameTable(
    await result.text(),
    await readFile(join(root, 'examples', name, 'expected', 'predict.csv'), 'utf8'),
  );
  const { output, files, progress } = await api.job(job.id);
  expect(output).toMatchObject({ model: name });
  expect(files).toMatchObject([{ name: 'predictions.csv', mediaType: 'text/csv' }]);
  expect(progress?.done).toBe(progress?.total);
  expect(await lifeOf(api, job.id)).toEqual([
    'created',
    'queued',
    'claimed',
    'validationStarted',
    'validated',
    'executed',
    'uploaded',
  ]);
});

const diabetes = { card: inExample('diabetes', 'model.json'), data: inExample('diabetes', 'score.csv') };

plain.each([
  ['a model that is no ONNX', { text: 'not a model' }, diabetes.data, 'invalid-model', undefined],
  [
    'a CSV that is no CSV',
    inExample('diabetes', 'model.onnx'),
    inExample('diabetes', 'model.onnx'),
    'invalid-input',
    'line 1',
  ],
  [
    'a row that does not fit',
    inExample('diabetes', 'model.onnx'),
    { text: 'age,sex,bmi,bp,s1,s2,s3,s4,s5,s6\n1,2,3,4,5,6,7,8,9,10\n1,2,red,4,5,6,7,8,9,10\n' },
    'invalid-input',
    'line 3, column bmi',
  ],
])(
  '%s is FAILED while it is validated, says where, and is not tried again',
  async (_, model, data, code, place) => {
    const { id } = await predict(model, diabetes.card, data);
    const job = await api.ended(id);
    expect(job).toMatchObject({
      status: 'FAILED',
      attempt: 1,
      error: { code },
      lastFailure: null,
      files: [],
    });
    if (place !== undefined) expect(job.error?.errors?.[0]?.pointer).toContain(place);
    expect(await lifeOf(api, id)).toEqual(['created', 'queued', 'claimed', 'validationStarted', 'failed']);
    const result = await api.call('GET', `/v1/jobs/${id}/result`);
    expect([result.status, await result.json()]).toMatchObject([
      409,
      { code: 'job-not-completed', error: { code } },
    ]);
  },
);

scenario('parameters and outputs that are too large for a history travel through storage', async () => {
  const parameters = { text: 'ä'.repeat(100_000) };
  const { id } = await api.submit({ function: 'echo', parameters });
  await expectCompletedOnce(api, id);
  const job = await other.job(id);
  expect(job.parameters).toEqual(parameters);
  expect(job.files).toMatchObject([{ name: 'output.json', mediaType: 'application/json' }]);
  const result = await api.call('GET', `/v1/jobs/${id}/result`);
  expect(await result.json()).toEqual({ echo: parameters });
});

scenario('a job that a service started through Temporal itself is a full citizen', async () => {
  const { temporalNamespace } = here.addresses;
  const said = await here.run('examples/start-from-a-service.ts', temporalAddress(), temporalNamespace);
  expect(said).toContain('completed {"output":{"counted":3},"files":[]}');
  const id = /^started (\S+)$/m.exec(said)?.[1] ?? '';
  await expectCompletedOnce(api, id);
  expect(await api.job(id)).toMatchObject({
    function: { name: 'count', version: '1.0.0' },
    parameters: { to: 3, everyMs: 300 },
    labels: { order: '4711' },
    attempt: 1,
  });
  expect((await api.list()).map((job) => job.id)).toContain(id);
  expect((await api.history(id))[0]).toMatchObject({ type: 'created', actor: 'billing' });
  expect((await api.logs(id)).map(({ text }) => text)).toEqual(['1 of 3', '2 of 3', '3 of 3']);
  expect(await (await api.call('GET', `/v1/jobs/${id}/result`)).json()).toEqual({ counted: 3 });
});

plain.each([
  ['a text', ['nonsense'], 'invalid-start'],
  ['nothing', [], 'invalid-start'],
  ['an unknown field', [{ function: 'echo', colour: 'red' }], 'invalid-start'],
  ['an unknown function', [{ function: 'unheard-of' }], 'unknown-function'],
  ['wrong parameters', [{ function: 'sleep', parameters: { seconds: 'many' } }], 'invalid-parameters'],
])('a workflow started with %s is a FAILED job that says why', async (_, args, code) => {
  const workflowId = `nonsense-${randomUUID()}`;
  const handle = await temporal().workflow.start('job', { workflowId, taskQueue: 'perdure', args });
  await expect(handle.result()).rejects.toMatchObject({ cause: { type: code } });
  expect(await api.ended(workflowId)).toMatchObject({ status: 'FAILED', error: { code } });
  expect((await lifeOf(api, workflowId)).at(-1)).toBe('failed');
});

scenario('fifty equal submits with one key, at once and over two replicas, make one job', async () => {
  const key = { 'idempotency-key': randomUUID() };
  const request = {
    function: 'echo',
    parameters: { only: 'once' },
    labels: { batch: key['idempotency-key'] },
  };
  const submits = Array.from({ length: 50 }, (_, index) =>
    (index % 2 === 0 ? api : other).post('/v1/jobs', request, key),
  );
  const answers = await Promise.all(submits);
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 201)).toHaveLength(1);
  expect(statuses.filter((status) => status === 200)).toHaveLength(49);
  const jobs = (await Promise.all(answers.map((answer) => answer.json()))) as Job[];
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
  const made = (await api.list()).filter(({ labels }) => labels['batch'] === key['idempotency-key']);
  expect(made).toHaveLength(1);
  const changed = await other.post('/v1/jobs', { ...request, parameters: { only: 'twice' } }, key);
  expect([changed.status, await changed.json()]).toMatchObject([422, { code: 'idempotency-key-reused' }]);
  await expectCompletedOnce(api, made[0]?.id ?? '');
});

scenario('a long poll at one replica hears of what was asked of the other', async () => {
  const { id } = await api.submit({ function: 'sleep', parameters: { seconds: 600 } });
  // Once the record says so too, nothing but the cancel will change the job.
  const recorded = async () => (await api.list()).some((job) => job.id === id && job.status === 'RUNNING');
  await waitFor(recorded, { what: 'the job to run' });
  const before = await other.call('GET', `/v1/jobs/${id}`);
  const headers = { 'if-none-match': before.headers.get('etag') ?? '', prefer: 'wait=30' };
  const woken = other.call('GET', `/v1/jobs/${id}`, { headers });
  await api.cancel(id, { reason: 'wake up' });
  // One that is not woken is answered 304, after its time.
  const answer = await woken;
  expect(answer.status).toBe(200);
  expect(answer.headers.get('etag')).not.toBe(before.headers.get('etag'));
  expect(((await answer.json()) as Job).cancelRequestedAt).not.toBeNull();
  expect(await other.ended(id)).toMatchObject({ status: 'CANCELED' });
});
