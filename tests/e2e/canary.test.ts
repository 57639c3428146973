import { expect } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readSse } from '../support/sse.ts';
import { waitFor } from '../support/wait.ts';
import { newHttpAgent } from './support/http-agent.ts';
import { type Api, house, type House } from './support/house.ts';
import type { Program } from './support/program.ts';
import { sharedServers } from './support/servers.ts';

const canary = (what: string): string => `canary-${what}-${randomBytes(6).toString('hex')}`;

/** What must stand in nothing that a process of Perdure writes. */
const secrets: Record<string, string> = {
  parameter: canary('parameter'),
  'parameter with a wrong type': canary('wrong'),
  'parameter within a secret': canary('within'),
  'parameter in broken JSON': canary('broken'),
  'key that is no good': `pk_${canary('key')}`,
  'token that is no good': `eyJhbGciOiJub25lIn0.${canary('token')}.x`,
  'key in a URL': canary('query'),
  'name of a file': canary('name'),
  'line of a log': canary('line'),
  output: canary('output'),
};
/** What must: it shows that the search finds something. */
const control = { request: canary('control').slice(0, 60), agent: canary('agent').slice(0, 60) };

const inputSchema = {
  type: 'object',
  properties: { password: { type: 'string', writeOnly: true }, vault: { type: 'object', writeOnly: true } },
};
/** Says its password, and a canary on both streams; then as it is told. What it says on stderr becomes part of its failure. */
const commands = (script: string): string => `
commands:
  - name: leaky
    version: 1.0.0
    description: Says what it should not
    program: sh
    args: [${script}, '{{end}}', '{{password}}']
    freeText: [password]
    parameters:
      type: object
      properties:
        end: { type: string, enum: [well, badly, killed, never] }
        password: { type: string, writeOnly: true }
`;
const script = `
echo "${secrets['line of a log']} $2"
echo "${secrets['line of a log']}" >&2
case "$1" in
  badly) exit 3 ;;
  killed) kill -9 $$ ;;
  never) sleep 600 ;;
esac
`;

let here: House;
let api: Api;
let programs: Record<string, Program>;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  const settings = { LOG_LEVEL: 'trace' };
  const config = await here.file('leaky.yaml', commands(await here.file('leaky.sh', script)));
  api = await here.startApi(settings);
  const [orchestrator, agent] = await Promise.all([
    here.startOrchestrator(settings),
    here.startAgent({ ...settings, AGENT_CONFIG: config, AGENT_ID: control.agent }),
  ]);
  programs = { api: api.program(), orchestrator, agent };
  const known = async () => (await api.call('GET', '/v1/functions/leaky/1.0.0')).ok;
  await waitFor(known, { what: 'the function' });
  await api.call('PUT', '/v1/functions/by-hand/1.0.0', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ description: 'By hand', inputSchema }),
  });
});

const password = secrets['parameter'] ?? '';
/** All that the API answered where it must not tell a secret. */
const answers: string[] = [];

async function heard(answer: Response | Promise<Response>): Promise<string> {
  const text = await (await answer).text();
  answers.push(text);
  return text;
}

async function leaky(end: string): Promise<string> {
  const answer = await api.post('/v1/jobs', { function: 'leaky', parameters: { end, password } });
  return (JSON.parse(await heard(answer)) as { id: string }).id;
}

/** Files by every way, and URLs that need no key. */
async function files(): Promise<void> {
  const name = secrets['name of a file'];
  const { id } = (await (await api.call('POST', `/v1/files?name=${name}`, { body: 'x' })).json()) as {
    id: string;
  };
  const signed = (await (await api.post(`/v1/files/${id}:sign`, {})).json()) as { url: string };
  const upload = (await (await api.post('/v1/files:signUpload', { name })).json()) as { url: string };
  for (const [at, { url }] of [signed, upload].entries())
    secrets[`signature ${at}`] = url.slice(url.indexOf('=') + 1);
  expect((await fetch(api.url + signed.url)).status).toBe(200);
  expect((await fetch(`${api.url}${signed.url}x`)).status).toBe(403);
  expect((await fetch(api.url + upload.url, { method: 'PUT', body: 'x' })).status).toBe(201);
  expect((await fetch(api.url + upload.url, { method: 'PUT', body: 'x' })).status).toBe(409);
  expect((await api.call('GET', `/v1/files/${id}/nothing?name=${name}`)).status).toBe(404);
}

async function refusedRequests(): Promise<void> {
  const wrong = { password: [secrets['parameter with a wrong type']] };
  await heard(api.post('/v1/jobs', { function: 'by-hand', parameters: wrong }));
  const within = { password, vault: { a: secrets['parameter within a secret'] } };
  await heard(api.post('/v1/jobs', { function: 'nothing', parameters: within }));
  await heard(api.post('/v1/jobs', { function: 'by-hand', parameters: within, colour: 'red' }));
  const headers = { 'content-type': 'application/json', 'x-request-id': control.request };
  const body = `{"function": "by-hand", "parameters": {"password": "${secrets['parameter in broken JSON']}" x}}`;
  await heard(api.call('POST', '/v1/jobs', { body, headers }));
  for (const bad of ['key that is no good', 'token that is no good']) {
    const authorization = `Bearer ${secrets[bad]}`;
    expect((await api.call('GET', '/v1/jobs', { headers: { authorization } })).status).toBe(401);
  }
  const query = `?access_token=${secrets['key in a URL']}`;
  expect((await fetch(`${api.url}/v1/me${query}`)).status).toBe(401);
  expect((await api.call('GET', `/nowhere${query}`)).status).toBe(404);
  expect((await api.call('GET', `/v1/jobs${query}`)).status).toBe(422);
}

/** PostgreSQL repeats the whole row that it refuses to the one who owns the table. */
async function refusedRow(): Promise<void> {
  const rule = `check (name is distinct from 'refused' or status = 'CREATED')`;
  await here.query(`alter table jobs add constraint refuses ${rule}`);
  const said = programs['orchestrator']?.untilSays('Activity failed');
  const job = { function: 'leaky', name: 'refused', parameters: { end: 'well', password } };
  const { id } = JSON.parse(await heard(api.post('/v1/jobs', job))) as { id: string };
  await said;
  await here.query('alter table jobs drop constraint refuses');
  await api.ended(id);
}

async function byHand(): Promise<void> {
  const agent = await newHttpAgent(api, { pools: ['hand'] });
  secrets['key of an agent'] = agent.key;
  const asked = { function: 'by-hand', parameters: { password }, pool: 'hand' };
  const { id } = JSON.parse(await heard(api.post('/v1/jobs', asked))) as { id: string };
  const assignment = await agent.claim({ waitSeconds: 20 });
  expect(assignment).toMatchObject({ id, parameters: { password } });
  await agent.report(id, { attempt: 1, status: 'RUNNING', logs: [{ text: secrets['line of a log'] ?? '' }] });
  await agent.upload(id, 1, secrets['name of a file'] ?? '', 'x');
  await heard(
    agent.client.post(`/v1/jobs/${id}:complete`, { attempt: 1, output: { said: secrets['output'] } }),
  );
}

/** As it is, or in a usual code. */
function found(text: string): string[] {
  return Object.entries(secrets).flatMap(([what, secret]) =>
    [
      secret,
      encodeURIComponent(secret),
      ...['base64', 'base64url', 'hex'].map((code) =>
        Buffer.from(secret)
          .toString(code as BufferEncoding)
          .replace(/=+$/, ''),
      ),
    ].some((one) => text.includes(one))
      ? [what]
      : [],
  );
}

scenario('what is secret stands in nothing that a process writes, whatever goes well or wrong', async () => {
  secrets['admin key'] = api.key;
  const made = await api.post('/v1/keys', { name: 'canary' });
  secrets['key of a user'] = ((await made.json()) as { key: string }).key;
  const stream = await readSse(`${api.url}/v1/events`, { key: api.key });
  await files();
  await refusedRequests();
  const jobs = await Promise.all(['well', 'badly', 'killed'].map(leaky));
  const ends = await Promise.all(jobs.map(async (id) => (await api.ended(id)).status));
  expect(ends).toEqual(['COMPLETED', 'FAILED', 'FAILED']);
  const running = await leaky('never');
  await api.running(running);
  await api.cancel(running, { graceSeconds: 0 });
  await api.ended(running);
  await byHand();
  await refusedRow();
  for (const id of [...jobs, running])
    for (const path of ['', '/history']) await heard(api.call('GET', `/v1/jobs/${id}${path}`));
  await heard(api.call('POST', `/v1/jobs/${jobs[0]}:rerun`));
  await heard(api.call('GET', '/v1/jobs'));
  await heard(api.call('GET', '/metrics'));
  const visible = await here.operator('workflow', 'list', '--output', 'json');
  expect(visible).toContain(jobs[0]);

  // The function did say it, so that what is not found could have been.
  const said = (await api.logs(jobs[1] ?? '')).map(({ text }) => text).join('\n');
  expect(found(said)).toEqual(['parameter', 'line of a log']);
  expect(programs['api']?.everything()).toContain(control.request);
  expect(programs['agent']?.everything()).toContain(control.agent);

  for (const [name, program] of Object.entries(programs))
    expect([name, found(program.everything())]).toEqual([name, []]);
  const told = [
    'parameter',
    'parameter with a wrong type',
    'parameter within a secret',
    'parameter in broken JSON',
  ];
  const seen = [...answers, visible, JSON.stringify(stream.messages)].map(found);
  expect(seen.map((some) => some.filter((one) => told.includes(one)))).toEqual(seen.map(() => []));
});
