import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Job } from '@perdure/job/schemas';
import { startApi, type TestApi } from '../testing/api.ts';

const secret = 'canary-of-a-password';
const inputSchema = {
  type: 'object',
  properties: {
    user: { type: 'string' },
    password: { type: 'string', minLength: 8, writeOnly: true },
    vault: { type: 'object', writeOnly: true, additionalProperties: { type: 'string' } },
  },
  additionalProperties: false,
};
const parameters = { user: 'ada', password: secret };

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
  const json = { description: 'Signs in', inputSchema };
  expect((await api.ask('/v1/functions/sign-in/1.0.0', { method: 'PUT', json })).status).toBe(200);
});
afterAll(() => api.stop());

const request = (some: object = parameters, more: object = {}) => ({
  function: 'sign-in',
  parameters: some,
  ...more,
});

test('no answer shows a secret parameter, and the record keeps it for the agent', async () => {
  const headers = { 'idempotency-key': 'secret' };
  const made = await api.ask('/v1/jobs', { json: request(), headers });
  const { id, parameters: shown } = Job.parse(made.body);
  expect([made.status, shown]).toEqual([201, { user: 'ada', password: '***' }]);
  const answers = [
    made,
    await api.ask('/v1/jobs', { json: request(), headers }),
    await api.ask(`/v1/jobs/${id}`),
    await api.ask(`/v1/jobs/${id}/history`),
    await api.ask('/v1/jobs'),
    await api.ask('/v1/jobs:batch', { json: { requests: [request()] } }),
    await api.ask('/v1/jobs?validateOnly=true', { json: request() }),
  ];
  for (const { text, status } of answers) {
    expect(status).toBeLessThan(300);
    expect(text).not.toContain(secret);
  }
  const rows = await api.db.kysely.selectFrom('jobs').select('parameters').where('id', '=', id).execute();
  expect(rows).toEqual([{ parameters }]);
});

test.each<[string, object, string[]]>([
  ['a secret of another type', { password: [secret] }, ['/parameters/password']],
  ['a secret that is too short', { password: secret.slice(0, 6) }, ['/parameters/password']],
  ['what stands within a secret', { vault: { [secret]: 1 } }, ['/parameters/vault']],
  ['the placeholder of an answer', { password: '***' }, ['/parameters/password', '/parameters/password']],
])('%s is refused without it', async (_what, wrong, pointers) => {
  const { body, text, status } = await api.ask('/v1/jobs', { json: request({ ...wrong }) });
  expect(status).toBe(422);
  expect((body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)).toEqual(pointers);
  expect(text).not.toContain(secret.slice(0, 6));
});

test('a body that is no JSON is refused without the piece that is wrong', async () => {
  const raw = JSON.stringify(request()).replace(`"${secret}"`, `"${secret}" ${secret}`);
  const problem = await api.ask('/v1/jobs', { raw, headers: { 'content-type': 'application/json' } });
  expect(problem.status).toBe(400);
  expect(problem.text).not.toContain(secret);
});

test('the model, by which jobs are found, cannot be a secret', async () => {
  const properties = { model: { type: 'string', writeOnly: true } };
  const json = { description: 'Finds', inputSchema: { type: 'object', properties } };
  const problem = await api.problem('/v1/functions/found/1.0.0', { method: 'PUT', json });
  expect(problem).toMatchObject({ status: 422, errors: [{ pointer: '/inputSchema' }] });
});
