import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultTenantId, firstAdminId } from '@perdure/job/ids';
import { anotherTenant, startApi, type TestApi } from '../testing/api.ts';
import { announceAll } from '../testing/catalogue.ts';

let api: TestApi;
/** Of an operator of another tenant. */
let foreign: string;

beforeAll(async () => {
  api = await startApi();
  await announceAll(api.db);
  foreign = await api.keyFor('operator', await anotherTenant(api.db));
});
afterAll(() => api.stop());

const functions = [{ name: 'sleep', version: '1.0.0' }];
const put = (path: string, json: object, key?: string) => api.ask(path, { method: 'PUT', json, key });

describe('an HTTP agent', () => {
  test('registers with what it offers, and again with something else', async () => {
    const key = await api.keyFor('agent', defaultTenantId, 'press-7');
    const first = await api.ask('/v1/agents', { key, json: { functions, pools: ['presses'] } });
    expect(first).toMatchObject({
      status: 200,
      body: {
        id: 'press-7',
        kind: 'http',
        displayName: 'press-7',
        pools: ['presses'],
        slots: 1,
        leaseSeconds: 60,
      },
    });
    const again = await api.ask('/v1/agents', { key, json: { functions, slots: 3, displayName: 'Press' } });
    expect(again.body).toMatchObject({
      id: 'press-7',
      displayName: 'Press',
      pools: [],
      slots: 3,
      status: 'idle',
    });
    expect((await api.ask('/v1/pools/presses')).body).toMatchObject({ agents: [], createdBy: null });
  });

  test.each<[string, object, string, string]>([
    [
      'functions that nobody knows',
      { functions: [{ name: 'nothing', version: '1.0.0' }] },
      'unknown-function',
      '/functions/0',
    ],
    ['no functions', { functions: [] }, 'invalid-request', '/functions'],
    ['a lease of no time', { functions, leaseSeconds: 0 }, 'invalid-request', '/leaseSeconds'],
    ['a field that nobody knows', { functions, tenantId: defaultTenantId }, 'invalid-request', '/tenantId'],
    ['a pool of a reserved name', { functions, pools: ['any'] }, 'invalid-request', '/pools/0'],
  ])('with %s is refused, the place named', async (_what, json, code, pointer) => {
    const key = await api.keyFor('agent', defaultTenantId, 'press-8');
    const problem = await api.problem('/v1/agents', { key, json });
    expect(problem).toMatchObject({ status: 422, code });
    expect(problem.errors?.map((one) => one.pointer)).toContain(pointer);
  });

  test('is registered by its own key alone, or by who may manage agents and says which', async () => {
    const key = await api.keyFor('agent', defaultTenantId, 'press-9');
    const other = await api.problem('/v1/agents', { key, json: { id: 'press-10', functions } });
    expect(other).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await api.problem('/v1/agents', { json: { functions } })).toMatchObject({ status: 422 });
    expect((await api.ask('/v1/agents', { json: { id: 'press-11', functions } })).status).toBe(200);
  });

  test('must register before it works', async () => {
    const key = await api.keyFor('agent', defaultTenantId, 'press-12');
    const problem = await api.problem('/v1/agents/press-12/claim', { key, json: {} });
    expect(problem).toMatchObject({ status: 422, code: 'unknown-agent' });
  });

  test('serves its own tenant: another sees none of it, and does not get its id', async () => {
    await api.ask('/v1/agents', { json: { id: 'press-13', functions, pools: ['secret'] } });
    for (const path of ['/v1/agents/press-13', '/v1/pools/secret'])
      expect((await api.problem(path, { key: foreign })).status).toBe(404);
    const drain = await api.problem('/v1/agents/press-13:drain', { key: foreign, method: 'POST' });
    expect(drain.status).toBe(404);
    const taken = await api.problem('/v1/agents', { key: foreign, json: { id: 'press-13', functions } });
    expect(taken).toMatchObject({ status: 409, code: 'id-taken' });
  });
});

test('an agent that serves everybody is seen by all, and managed by the first tenant', async () => {
  expect((await api.ask('/v1/agents/agent-1', { key: foreign })).status).toBe(200);
  const refused = await api.problem('/v1/agents/agent-1:drain', { key: foreign, method: 'POST' });
  expect(refused).toMatchObject({ status: 403, code: 'forbidden' });
  const drained = await api.ask('/v1/agents/agent-1:drain', { method: 'POST' });
  expect(drained).toMatchObject({ status: 202, body: { drainRequestedBy: firstAdminId } });
  const again = await api.ask('/v1/agents/agent-1:drain', { method: 'POST' });
  expect(again.body['drainRequestedAt']).toBe(drained.body['drainRequestedAt']);
  const resumed = await api.ask('/v1/agents/agent-1:resume', { method: 'POST' });
  expect(resumed).toMatchObject({ status: 202, body: { drainRequestedAt: null } });
  expect((await api.problem('/v1/agents/nobody:drain', { method: 'POST' })).status).toBe(404);
});

describe('a pool', () => {
  test('is its tenant’s: each may have one of a name', async () => {
    expect((await api.ask('/v1/pools', { json: { name: 'twice' } })).status).toBe(201);
    expect((await api.ask('/v1/pools', { key: foreign, json: { name: 'twice' } })).status).toBe(201);
    const again = await api.problem('/v1/pools', { json: { name: 'twice' } });
    expect(again).toMatchObject({ status: 409, code: 'id-taken', errors: [{ pointer: '/name' }] });
    expect((await api.problem('/v1/pools', { json: { name: 'gpu' } })).status).toBe(409);
  });

  test('takes agents that there are, and is removed when it is empty', async () => {
    await api.ask('/v1/pools', { json: { name: 'new', description: 'fresh' } });
    expect((await api.problem('/v1/pools/new/agents/nobody', { method: 'PUT' })).status).toBe(404);
    expect((await api.problem('/v1/pools/none/agents/agent-1', { method: 'PUT' })).status).toBe(404);
    const filled = await api.ask('/v1/pools/new/agents/agent-1', { method: 'PUT' });
    expect(filled.body).toMatchObject({ name: 'new', description: 'fresh', agents: ['agent-1'] });
    expect((await api.problem('/v1/pools/new', { method: 'DELETE' })).status).toBe(409);
    await api.ask('/v1/pools/new/agents/agent-1', { method: 'DELETE' });
    expect((await api.ask('/v1/pools/new', { method: 'DELETE' })).status).toBe(204);
    expect((await api.problem('/v1/pools/gpu', { method: 'DELETE' })).status).toBe(403);
  });

  test('is described without its backlog while Temporal does not answer', async () => {
    expect((await api.ask('/v1/pools/gpu')).body).toMatchObject({
      pending: 0,
      agents: ['agent-1'],
      backlog: null,
    });
  });
});

describe('a function that HTTP agents serve', () => {
  const inputSchema = { type: 'object', properties: { text: { type: 'string' } } };

  test('is registered by an admin, and written over', async () => {
    const path = '/v1/functions/stamp/1.0.0';
    expect(await put(path, { description: 'Stamps', inputSchema })).toMatchObject({
      status: 200,
      body: { name: 'stamp' },
    });
    await put(path, { description: 'Stamps well', inputSchema, operatingSystems: ['linux'] });
    expect((await api.ask(path)).body).toMatchObject({
      description: 'Stamps well',
      operatingSystems: ['linux'],
    });
    expect((await api.problem(path, { key: foreign })).status).toBe(404);
  });

  test.each<[string, object, string]>([
    ['no schema', {}, '/inputSchema'],
    ['a schema that is none', { inputSchema: { type: 'object', properties: 7 } }, '/inputSchema'],
    ['a schema of a text', { inputSchema: { type: 'string' } }, '/inputSchema'],
    ['an output that is no object', { inputSchema, outputSchema: { type: 'array' } }, '/outputSchema'],
    ['a tenant', { inputSchema, tenantId: null }, '/tenantId'],
  ])('with %s is refused, the place named', async (_what, some, pointer) => {
    const json = { description: 'Wrong', ...some };
    const problem = await api.problem('/v1/functions/wrong/1.0.0', { method: 'PUT', json });
    expect(problem).toMatchObject({ status: 422, code: 'invalid-request' });
    expect(problem.errors?.map((one) => one.pointer)).toContain(pointer);
  });
});
