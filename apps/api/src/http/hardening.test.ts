import { defaultTenantId } from '@perdure/job/ids';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mayDo, type Permission } from '@perdure/job/permissions';
import { startApi, type TestApi } from '../testing/api.ts';

type Operation = {
  operationId: string;
  description: string;
  requestBody?: { content: Record<string, { schema: object }> };
};

let api: TestApi;
let agentKey: string;
beforeAll(async () => {
  api = await startApi();
  agentKey = await api.keyFor('agent');
});
afterAll(() => api.stop());

const nobody = '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70';
const json = { 'content-type': 'application/json' };

/** All that take JSON, each with a path on which there is nothing, and a key of a role that may call it. */
async function writes() {
  const { body } = await api.ask<{ paths: Record<string, Record<string, Operation>> }>('/openapi.json');
  return Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { operationId, description, requestBody }]) => {
      if (requestBody?.content['application/json'] === undefined) return [];
      const permission = /Needs the permission `(.*)`/.exec(description)?.[1] as Permission;
      return [
        {
          operationId,
          method: method.toUpperCase(),
          path: path.replaceAll(/\{(version)\}/g, '1.0.0').replaceAll(/\{\w+\}/g, nobody),
          key: mayDo({ role: 'admin', tenantId: defaultTenantId }, permission) ? api.adminKey : agentKey,
        },
      ];
    }),
  );
}

test('no operation takes a field that is the record\u2019s, whoever sends it', async () => {
  const fields = [
    'tenantId',
    'ownerId',
    'createdAt',
    'revision',
    'epoch',
    'isAdmin',
    'updatedAt',
    'permissions',
  ];
  const operations = await writes();
  expect(operations.length).toBeGreaterThan(15);
  for (const { operationId, method, path, key } of operations) {
    const asked = { method, key, headers: json };
    const sent = Object.fromEntries(fields.map((field) => [field, nobody]));
    const problem = await api.problem(path, { ...asked, raw: JSON.stringify(sent) });
    expect([operationId, problem.code]).toEqual([operationId, 'invalid-request']);
    const pointers = problem.errors?.map(({ pointer }) => pointer) ?? [];
    for (const field of fields)
      expect([operationId, pointers]).toEqual([operationId, expect.arrayContaining([`/${field}`])]);
    for (const raw of ['{"__proto__":{"role":"admin"}}', '{"constructor":{"prototype":{"role":"admin"}}}'])
      expect([operationId, (await api.problem(path, { ...asked, raw })).code]).toEqual([
        operationId,
        'malformed-request',
      ]);
  }
});

test('a body with too many keys is refused before it is parsed', async () => {
  const keys = Array.from({ length: 100_001 }, (_, number) => `"${number.toString(36)}":1`);
  const problem = await api.problem('/v1/jobs', { raw: `{${keys.join(',')}}`, headers: json });
  expect(problem).toMatchObject({ status: 400, code: 'malformed-request' });
  expect(problem.detail).toContain('100000 keys');
});

test.each([
  ['/v1/jobs?label=team:%00', 'query/label'],
  ['/v1/jobs?label=a:b&label=%00:c', 'query/label/1'],
  [`/v1/jobs/${nobody}/logs?q=a%00`, 'query/q'],
])('%s is refused before PostgreSQL refuses it', async (path, pointer) => {
  const problem = await api.problem(path);
  expect([problem.status, problem.errors?.[0]?.pointer]).toEqual([422, pointer]);
});

test('what is done to a file is no file', async () => {
  const problem = await api.problem(`/v1/files/${nobody}:sign`);
  expect([problem.status, problem.headers.get('allow')]).toEqual([405, 'POST']);
});

test('a URL that is too long is 414, headers that are too large are 431', async () => {
  const long = await api.problem(`/v1/jobs?q=${'x'.repeat(8_192)}`);
  expect(long).toMatchObject({ status: 414, code: 'malformed-request' });
  const large = await api.problem('/v1/jobs', { headers: { 'x-large': 'x'.repeat(20_000) } });
  expect(large).toMatchObject({ status: 431, code: 'malformed-request' });
});

test('no other origin may read an answer, and none is told what runs here', async () => {
  const origin = { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' };
  for (const answer of [
    await api.ask('/v1/me', { headers: origin }),
    await api.ask('/v1/jobs', { method: 'OPTIONS', headers: origin }),
    await api.ask('/v1/uploads', { method: 'OPTIONS', headers: origin }),
    await api.ask('/v1/nothing', { headers: origin }),
    await api.ask('/openapi.json', { headers: origin }),
  ]) {
    const names = [...answer.headers.keys()];
    expect(names.filter((name) => name.startsWith('access-control-'))).toEqual([]);
    for (const name of ['x-powered-by', 'server']) expect(names).not.toContain(name);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('x-frame-options')).toBe('DENY');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  }
});
