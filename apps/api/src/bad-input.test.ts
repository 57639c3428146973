import { expect, test } from '@jest/globals';
import { refusingApi } from './testing/refusing-api.ts';

const api = refusingApi();

const nobody = '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70';
const job = (more: object): object => ({ function: 'sleep', parameters: { seconds: 1 }, ...more });
const nested = (depth: number): string =>
  `{"function":"echo","parameters":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`;
const inDays = (days: number): string => new Date(Date.now() + days * 24 * 3_600_000).toISOString();
const json = { 'content-type': 'application/json' };

test.each<[string, unknown, string, string[]]>([
  ['no body', undefined, 'invalid-request', ['']],
  ['a list', [], 'invalid-request', ['']],
  ['null', null, 'invalid-request', ['']],
  ['no function', {}, 'invalid-request', ['/function']],
  ['an unknown function', job({ function: 'nothing' }), 'unknown-function', ['/function']],
  ['an unknown version', job({ version: '9.0.0' }), 'unknown-function', ['/version']],
  ['a bad name of a function', job({ function: 'Sleep!' }), 'invalid-request', ['/function']],
  ['a bad version', job({ version: '1' }), 'invalid-request', ['/version']],
  ['unknown fields', job({ colour: 'red', 'a/b~c': 1 }), 'invalid-request', ['/colour', '/a~1b~0c']],
  [
    'fields of the record',
    job({ tenantId: nobody, status: 'COMPLETED' }),
    'invalid-request',
    ['/tenantId', '/status'],
  ],
  ['a bad id', job({ id: '1' }), 'invalid-request', ['/id']],
  ['an id in capitals', job({ id: nobody.toUpperCase() }), 'invalid-request', ['/id']],
  ['parameters that are no object', job({ parameters: [1] }), 'invalid-request', ['/parameters']],
  ['a missing parameter', job({ parameters: {} }), 'invalid-parameters', ['/parameters/seconds']],
  [
    'a wrong parameter',
    job({ parameters: { seconds: 'two' } }),
    'invalid-parameters',
    ['/parameters/seconds'],
  ],
  [
    'an unknown parameter',
    job({ parameters: { seconds: 1, 'a/b': 2 } }),
    'invalid-parameters',
    ['/parameters/a~1b'],
  ],
  [
    'two wrong parameters',
    job({ parameters: { seconds: -1, x: 2 } }),
    'invalid-parameters',
    ['/parameters/x', '/parameters/seconds'],
  ],
  ['a priority out of range', job({ priority: 6 }), 'invalid-request', ['/priority']],
  ['a limit of zero', job({ limits: { runSeconds: 0 } }), 'invalid-request', ['/limits/runSeconds']],
  ['an unknown limit', job({ limits: { sleepSeconds: 1 } }), 'invalid-request', ['/limits/sleepSeconds']],
  ['a moment without its zone', job({ notBefore: '2026-11-22T05:00:00' }), 'invalid-request', ['/notBefore']],
  ['a day that is none', job({ notBefore: '2026-02-31T05:00:00Z' }), 'invalid-request', ['/notBefore']],
  ['a moment too far ahead', job({ notBefore: inDays(367) }), 'invalid-request', ['/notBefore']],
  ['a label that is no text', job({ labels: { a: 1 } }), 'invalid-request', ['/labels/a']],
  ['a long name', job({ name: 'x'.repeat(201) }), 'invalid-request', ['/name']],
  ['an unknown pool', job({ pool: 'moon' }), 'unknown-pool', ['/pool']],
  ['an unknown agent', job({ assignedAgentId: 'nobody' }), 'unknown-agent', ['/assignedAgentId']],
  [
    'an agent that cannot',
    { function: 'echo', assignedAgentId: 'agent-1' },
    'incapable-agent',
    ['/assignedAgentId'],
  ],
  [
    'a file id that is none',
    { function: 'predict', parameters: { model: 'x' } },
    'invalid-parameters',
    ['/parameters/model'],
  ],
  [
    'a missing file',
    { function: 'predict', parameters: { model: nobody } },
    'unknown-file',
    ['/parameters/model'],
  ],
  [
    'a missing file among others',
    { function: 'predict', parameters: { model: nobody, extra: [nobody] } },
    'unknown-file',
    ['/parameters/model', '/parameters/extra/0'],
  ],
  [
    'validateOnly of something wrong',
    job({ parameters: {}, validateOnly: true }),
    'invalid-parameters',
    ['/parameters/seconds'],
  ],
])('a job with %s is refused by 422, the place named', async (_what, body, code, pointers) => {
  const problem = await api().problem('/v1/jobs', { method: 'POST', json: body });
  expect(problem).toMatchObject({
    status: 422,
    code,
    type: `urn:perdure:error:${code}`,
    instance: '/v1/jobs',
  });
  expect(problem.errors?.map(({ pointer }) => pointer).sort()).toEqual([...pointers].sort());
});

test.each<[string, string, number, string]>([
  ['broken JSON', '{"function":', 400, 'malformed-request'],
  ['two values', '{} {}', 400, 'malformed-request'],
  ['a trailing comma', '{"function":"echo",}', 400, 'malformed-request'],
  ['33 levels', nested(33), 400, 'malformed-request'],
  ['3000 levels', nested(3_000), 400, 'malformed-request'],
  ['3000 open brackets', '['.repeat(3_000), 400, 'malformed-request'],
  ['__proto__', '{"function":"echo","parameters":{"__proto__":{"admin":true}}}', 400, 'malformed-request'],
  [
    'constructor.prototype',
    '{"function":"echo","parameters":{"constructor":{"prototype":{"a":1}}}}',
    400,
    'malformed-request',
  ],
  ['a NUL', '{"function":"echo","name":"a\\u0000b"}', 422, 'invalid-request'],
  ['a NUL in a name', '{"function":"echo","parameters":{"a\\u0000":1}}', 422, 'invalid-request'],
  ['half a surrogate pair', '{"function":"echo","parameters":{"a":"\\ud800"}}', 422, 'invalid-request'],
  ['an infinite number', '{"function":"echo","parameters":{"a":1e999}}', 422, 'invalid-request'],
])('a body with %s is refused', async (_what, raw, status, code) => {
  expect(await api().problem('/v1/jobs', { raw, headers: json })).toMatchObject({ status, code });
});

test('brackets in texts are no depth', async () => {
  const raw = JSON.stringify({
    function: 'echo',
    parameters: { text: '"[{'.repeat(100) },
    validateOnly: true,
  });
  expect(await api().ask('/v1/jobs', { raw, headers: json })).toMatchObject({
    status: 200,
    body: { valid: true },
  });
});

test('bytes that are no UTF-8 are refused', async () => {
  const raw = Buffer.concat([
    Buffer.from('{"function":"echo","name":"'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('"}'),
  ]);
  expect(await api().problem('/v1/jobs', { raw, headers: json })).toMatchObject({ status: 400 });
});

test.each([
  ['text/plain', 415],
  ['application/x-www-form-urlencoded', 415],
  ['application/json; charset=latin1', 415],
  ['nonsense', 415],
])('a job as %s is refused by %d', async (type, status) => {
  const problem = await api().problem('/v1/jobs', {
    raw: '{"function":"echo"}',
    headers: { 'content-type': type },
  });
  expect(problem).toMatchObject({ status, code: 'unsupported-media-type' });
});

test('a compressed body is refused', async () => {
  const headers = { ...json, 'content-encoding': 'gzip' };
  expect(await api().problem('/v1/jobs', { raw: 'x', headers })).toMatchObject({ status: 415 });
});

test.each<[string, string, string]>([
  ['GET', '/v1/jobs/a%20b', 'path/id'],
  ['GET', '/v1/jobs/%00', 'path/id'],
  ['GET', `/v1/jobs/${'x'.repeat(129)}`, 'path/id'],
  ['GET', '/v1/files/1', 'path/id'],
  ['GET', '/v1/files/1/content', 'path/id'],
  ['GET', '/v1/pools/a%2Fb', 'path/name'],
  ['GET', '/v1/functions/echo/newest', 'path/version'],
  ['DELETE', '/v1/keys/1', 'path/id'],
  ['POST', '/v1/jobs/a%20b:cancel', 'path/id'],
  ['GET', '/v1/jobs?pageSize=0', 'query/pageSize'],
  ['GET', '/v1/jobs?pageSize=1e2', 'query/pageSize'],
  ['GET', '/v1/jobs?pageSize=1&pageSize=2', 'query/pageSize'],
  ['GET', '/v1/jobs?status=DONE', 'query/status/0'],
  ['GET', '/v1/jobs?function=%00', 'query/function'],
  ['GET', '/v1/jobs?colour=red', 'query/colour'],
  ['GET', '/v1/jobs?pageToken=nonsense', 'query/pageToken'],
  ['GET', '/v1/jobs?pageToken=WyIyMDI2IiwiYSJd.AAAA', 'query/pageToken'],
  ['GET', `/v1/jobs/${nobody}/logs?since=yesterday`, 'query/since'],
  ['GET', `/v1/jobs/${nobody}/logs?since=2026-02-31T00:00:00Z`, 'query/since'],
  ['GET', `/v1/jobs/${nobody}/logs?follow=perhaps`, 'query/follow'],
  ['POST', '/v1/jobs?validateOnly=1', 'query/validateOnly'],
])('%s %s is refused by 422 and %s', async (method, path, pointer) => {
  const body = method === 'POST' && !path.includes(':') ? { json: { function: 'echo' } } : {};
  const problem = await api().problem(path, { method, ...body });
  expect(problem).toMatchObject({ status: 422, code: 'invalid-request' });
  expect(problem.errors?.map((one) => one.pointer)).toContain(pointer);
});

test.each<[string, string, number]>([
  ['GET', '/', 404],
  ['GET', '/v2/jobs', 404],
  ['POST', '/v1/jobs/abc:destroy', 404],
  ['GET', '/v1/jobs/abc/nothing', 404],
  ['GET', '/docs/assets/package.json', 404],
  ['GET', '/docs/assets/..%2f..%2fpackage.json', 404],
  ['GET', `/v1/jobs/${nobody}`, 404],
  ['GET', `/v1/jobs/${nobody}/history`, 404],
  ['GET', `/v1/jobs/${nobody}/logs`, 404],
  ['GET', `/v1/jobs/${nobody}/logs?follow=true`, 404],
  ['GET', `/v1/jobs/${nobody}/result`, 404],
  ['POST', `/v1/jobs/${nobody}:cancel`, 404],
  ['POST', `/v1/jobs/${nobody}:rerun`, 404],
  ['GET', `/v1/files/${nobody}`, 404],
  ['GET', `/v1/files/${nobody}/content`, 404],
  ['GET', '/v1/functions/nothing/1.0.0', 404],
  ['GET', '/v1/agents/nobody', 404],
  ['DELETE', `/v1/keys/${nobody}`, 404],
  ['GET', '/v1/jobs/%', 400],
  ['GET', `/v1/jobs/${'x'.repeat(300)}`, 414],
])('%s %s is a problem with %d', async (method, path, status) => {
  expect(await api().problem(path, { method })).toMatchObject({ status });
});

test.each([
  ['PUT', '/v1/jobs', 'GET, HEAD, POST'],
  ['DELETE', '/v1/jobs/abc', 'GET, HEAD'],
  ['GET', '/v1/jobs/abc:cancel', 'POST'],
  ['GET', '/v1/jobs/abc:rerun', 'POST'],
  ['GET', '/v1/jobs:batch', 'POST'],
  ['POST', '/v1/jobs/abc', 'GET, HEAD'],
  ['OPTIONS', '/v1/jobs', 'GET, HEAD, POST'],
  ['PROPFIND', '/v1/jobs', 'GET, HEAD, POST'],
  ['PATCH', '/v1/functions/echo/1.0.0', 'GET, HEAD, PUT'],
  ['POST', '/livez', 'GET, HEAD'],
])('%s %s is 405 and allows %s', async (method, path, allow) => {
  const problem = await api().problem(path, { method });
  expect(problem).toMatchObject({ status: 405, code: 'method-not-allowed' });
  expect(problem.headers.get('allow')).toBe(allow);
});

test.each([
  [{ agentId: 'a', pool: 'b' }, ''],
  [{}, ''],
  [{ anyone: false }, '/anyone'],
  [{ anyone: true, graceSeconds: 601 }, '/graceSeconds'],
  [{ anyone: true, why: 'x' }, '/why'],
])('reassign to %j is refused', async (body, pointer) => {
  const problem = await api().problem(`/v1/jobs/${nobody}:reassign`, { json: body });
  expect(problem).toMatchObject({ status: 422, code: 'invalid-request', errors: [{ pointer }] });
});

test.each([
  [{ name: '' }, '/name'],
  [{}, '/name'],
  [{ name: 'x', role: 'root' }, '/role'],
  [{ name: 'x', expiresAt: 'tomorrow' }, '/expiresAt'],
  [{ name: 'x', expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
  [{ name: 'x', role: 'admin', agentId: 'agent-1' }, '/role'],
  [{ name: 'x', role: 'agent' }, '/agentId'],
])('a key %j is refused', async (body, pointer) => {
  expect(await api().problem('/v1/keys', { json: body })).toMatchObject({
    status: 422,
    errors: [{ pointer }],
  });
});

test('no header, no key and no body of a request stands in a problem', async () => {
  const secret = 'pk_canary-canary-canary-canary';
  const answers = await Promise.all([
    api().ask('/v1/me', { key: secret }),
    api().ask('/v1/jobs', { raw: `{"function":"${secret}`, headers: json }),
    api().ask(`/v1/nothing?token=${secret}`),
  ]);
  for (const { text } of answers) expect(text).not.toContain(secret);
});
