import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { notAudited } from '@perdure/job/audit';
import type { AuditEntry, AuditPage } from '@perdure/job/schemas';
import { freshNamespace, temporalAddress } from '../../../../tests/support/temporal.ts';
import { waitFor } from '../../../../tests/support/wait.ts';
import { type Answer, startApi, type TestApi } from '../testing/api.ts';
import { bytesAt, tusHeaders } from '../testing/tus.ts';
import { startWorker } from '../testing/worker.ts';

/** The API over a real Temporal server and a real worker, and one agent that speaks HTTP. */
let api: TestApi;
let worker: Awaited<ReturnType<typeof startWorker>>;
let agentKey: string;
let memberKey: string;
/** Of what was made by the calls before. */
const made: Record<string, string> = {};

beforeAll(async () => {
  api = await startApi({ TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_NAMESPACE: await freshNamespace() });
  worker = await startWorker(api.config);
  agentKey = await api.keyFor('agent', undefined, 'press');
  memberKey = await api.keyFor('member');
  const ready = async (): Promise<boolean> => (await api.ask('/readyz')).status === 200;
  await waitFor(ready, { what: 'the API to be ready', timeoutMs: 40_000 });
}, 70_000);

afterAll(async () => {
  await worker?.stop();
  await api?.stop();
});

const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString();
const nobody = '0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70';
const press = { function: 'press', parameters: {} };

/** What is answered, whose status must be 2xx. */
async function ask(method: string, path: string, asked: Parameters<TestApi['ask']>[1] = {}): Promise<Answer> {
  const answer = await api.ask(path, { method, ...asked });
  expect([method, path, answer.status < 300, answer.text]).toEqual([method, path, true, answer.text]);
  return answer;
}
const send = (method: string, path: string, json: unknown = {}, key = api.adminKey) =>
  ask(method, path, { json, key });
const keep = async (name: string, answer: Promise<Answer>) =>
  void (made[name] = String((await answer).body['id']));

const sharing = () => ({ user: { id: made['user'] }, access: 'viewer' });

/** Submits a job and lets the agent take it. */
async function held(name: string): Promise<void> {
  await keep(name, send('POST', '/v1/jobs', press));
  const claim = { jobId: made[name] };
  const taken = async () => {
    const path = '/v1/agents/press/claim';
    return (await api.ask(path, { json: claim, key: agentKey })).status === 200;
  };
  await waitFor(taken, { what: `the agent to have ${name}`, timeoutMs: 20_000 });
}
const end = (verb: string, name: string, json: object = {}) =>
  send('POST', `/v1/jobs/${made[name]}:${verb}`, { attempt: 1, ...json }, agentKey);

/** One call of each operation that is allowed, in this order: what one makes the next ones use. */
const allowed: Record<string, () => Promise<unknown>> = {
  putFunction: () =>
    send('PUT', '/v1/functions/press/1.0.0', { description: 'Presses', inputSchema: { type: 'object' } }),
  registerAgent: () =>
    send('POST', '/v1/agents', { functions: [{ name: 'press', version: '1.0.0' }], slots: 9 }, agentKey),
  beatAgent: () => send('PUT', '/v1/agents/press/beat', {}, agentKey),
  drainAgent: () => send('POST', '/v1/agents/press:drain'),
  resumeAgent: () => send('POST', '/v1/agents/press:resume'),
  createPool: () => send('POST', '/v1/pools', { name: 'hall' }),
  addToPool: () => ask('PUT', '/v1/pools/hall/agents/press'),
  removeFromPool: () => ask('DELETE', '/v1/pools/hall/agents/press'),
  deletePool: () => ask('DELETE', '/v1/pools/hall'),
  createUser: () => keep('user', send('POST', '/v1/users', { kind: 'service', displayName: 'Import' })),
  changeUser: () => send('PATCH', `/v1/users/${made['user']}`, { role: 'operator' }),
  createKey: () => keep('key', send('POST', '/v1/keys', { name: 'a key' })),
  revokeKey: () => ask('DELETE', `/v1/keys/${made['key']}`),
  createTenant: () =>
    send('POST', '/v1/tenants', { name: 'north', admin: { email: 'ada@example.com', displayName: 'Ada' } }),
  uploadFile: () => keep('file', ask('POST', '/v1/files', { raw: 'bytes' })),
  shareFile: () => send('PUT', `/v1/files/${made['file']}/access`, sharing()),
  unshareFile: () => ask('DELETE', `/v1/files/${made['file']}/access/${made['user']}`),
  signFile: () => send('POST', `/v1/files/${made['file']}:sign`),
  signUpload: async () =>
    void (made['signed'] = String((await send('POST', '/v1/files:signUpload', { name: 'a' })).body['url'])),
  putFileContent: () => ask('PUT', made['signed'] ?? '', { raw: 'bytes', key: null }),
  createUpload: async () => {
    const headers = tusHeaders({ 'upload-length': '5' });
    for (const name of ['upload', 'given up'])
      made[name] = (await ask('POST', '/v1/uploads', { headers })).headers.get('location') ?? '';
  },
  continueUpload: () => ask('PATCH', made['upload'] ?? '', { raw: 'bytes', headers: bytesAt(0) }),
  deleteUpload: () => ask('DELETE', made['given up'] ?? '', { headers: tusHeaders() }),
  submitJob: () => keep('canceled', send('POST', '/v1/jobs', { ...press, notBefore: tomorrow() })),
  shareJob: () => send('PUT', `/v1/jobs/${made['canceled']}/access`, sharing()),
  unshareJob: () => ask('DELETE', `/v1/jobs/${made['canceled']}/access/${made['user']}`),
  submitJobs: () => send('POST', '/v1/jobs:batch', { requests: [press] }),
  reassignJob: () => send('POST', `/v1/jobs/${made['canceled']}:reassign`, { anyone: true }),
  cancelJob: () => send('POST', `/v1/jobs/${made['canceled']}:cancel`),
  claimJob: async () => {
    for (const name of ['completed', 'failed', 'given back']) await held(name);
  },
  reportJob: () =>
    send('POST', `/v1/jobs/${made['completed']}/reports`, { attempt: 1, status: 'RUNNING' }, agentKey),
  uploadResultFile: () =>
    ask('POST', `/v1/jobs/${made['completed']}/files?attempt=1&name=a`, { raw: 'bytes', key: agentKey }),
  completeJob: () => end('complete', 'completed'),
  failJob: () => end('fail', 'failed', { detail: 'jammed' }),
  giveBackJob: () => end('giveBack', 'given back'),
  rerunJob: () => send('POST', `/v1/jobs/${made['completed']}:rerun`),
  archiveJob: () => send('POST', `/v1/jobs/${made['completed']}:archive`),
  restoreJob: () => send('POST', `/v1/jobs/${made['completed']}:restore`),
};

type Operation = { id: string; method: string; path: string };

async function changing(): Promise<Operation[]> {
  const { body } = await api.ask<{ paths: Record<string, Record<string, { operationId: string }>> }>(
    '/openapi.json',
  );
  return Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { operationId: id }]) =>
      ['get', 'head', 'options'].includes(method) ? [] : [{ id, method: method.toUpperCase(), path }],
    ),
  );
}

async function entriesOf(action: string, outcome: AuditEntry['outcome']): Promise<AuditEntry[]> {
  return (await api.ask<AuditPage>(`/v1/audit?action=${action}&outcome=${outcome}`)).body.items;
}

test('each operation that changes something is tried here', async () => {
  const ids = (await changing()).map(({ id }) => id);
  expect(Object.keys(allowed).sort()).toEqual(ids.sort());
  expect(Object.keys(notAudited).filter((id) => !ids.includes(id))).toEqual([]);
});

test('each that is allowed is in the audit log, unless it is said why not', async () => {
  for (const [id, call] of Object.entries(allowed)) {
    await call();
    const entries = [...(await entriesOf(id, 'done')), ...(await entriesOf(id, 'asked'))];
    expect([id, entries.length > 0]).toEqual([id, !(id in notAudited)]);
    for (const { actor, target, requestId, address } of entries)
      expect([id, actor.id, actor.keyId, target?.id, requestId, address]).not.toContain(null);
  }
}, 90_000);

test('each that is refused is in the audit log, unless it is said why not', async () => {
  const operations = await changing();
  for (const { method, path } of operations) {
    const asked = path.replace('{version}', '1.0.0').replaceAll(/\{\w+\}/g, nobody);
    const statuses = [];
    for (const key of [agentKey, memberKey]) statuses.push((await api.ask(asked, { method, key })).status);
    expect([method, path, statuses.some((status) => status >= 400)]).toEqual([method, path, true]);
  }
  for (const { id } of operations.filter((one) => !(one.id in notAudited))) {
    const refused = async () => (await entriesOf(id, 'refused'))[0];
    expect(await waitFor(refused, { what: `the refused ${id} to be entered` })).toMatchObject({ action: id });
  }
  for (const id of Object.keys(notAudited)) expect(await entriesOf(id, 'refused')).toEqual([]);
});
