import { expect } from '@jest/globals';
import type { Job, JobPage, LogLine } from '@perdure/client';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../support/wait.ts';
import { cli } from './support/cli.ts';
import { type Api, house } from './support/house.ts';
import { newHttpAgent, registerByHand } from './support/http-agent.ts';
import { sharedServers } from './support/servers.ts';

let api: Api;
const { scenario } = house(sharedServers, async (here) => {
  const started = await Promise.all([here.startApi(), here.startOrchestrator(), here.startAgent()]);
  api = started[0];
});

const perdure = (home = '/nonexistent') => cli({ url: api.url, key: api.key, home });
const counting = ['jobs', 'submit', 'count', '--param', 'to=100000', '--param', 'everyMs=100'];

async function submitted(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await perdure().run(...args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout.trim();
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
const heard = (text: () => string, count: number) =>
  waitFor(() => lines(text()).length >= count, { what: `${count} lines`, timeoutMs: 30_000 });

async function kill(): Promise<void> {
  await api.program().kill();
  await api.startAgain();
}

scenario('a job is submitted, waited for, looked at and found', async () => {
  const waited = await perdure().run(
    'jobs',
    'submit',
    'echo@1.0.0',
    '-p',
    '{"n": 1}',
    '--param',
    'text=two',
    '-l',
    'a=b',
    '-w',
  );
  expect(waited).toMatchObject({ code: 0, stdout: expect.stringMatching(/^COMPLETED after \d+ s\n$/) });
  const [id = ''] = lines(waited.stderr);
  const job = await perdure().json<Job>('jobs', 'get', id);
  expect(job).toMatchObject({
    id,
    parameters: { n: 1, text: 'two' },
    labels: { a: 'b' },
    status: 'COMPLETED',
  });
  expect(await perdure().json('jobs', 'result', id)).toEqual(job.output);
  expect((await perdure().run('jobs', 'get', id)).stdout).toMatch(/^status +COMPLETED$/m);
  expect((await perdure().run('jobs', 'list')).stdout).toMatch(
    new RegExp(`^${id} +COMPLETED +echo@1.0.0`, 'm'),
  );
  const { items } = await perdure().json<JobPage>('jobs', 'list', '-s', 'COMPLETED,FAILED', '-f', 'echo');
  expect(items.map((one) => one.id)).toEqual([id]);
  expect((await perdure().run('jobs', 'history', id)).stdout).toMatch(/ completed | uploaded /);
});

scenario('parameters come from a file or from stdin', async () => {
  const given = await perdure().runWith('{"from": "stdin"}', 'jobs', 'submit', 'echo', '-p', '-', '--json');
  expect(JSON.parse(given.stdout)).toMatchObject({ parameters: { from: 'stdin' } });
  const missing = await perdure().run('jobs', 'submit', 'echo', '-p', '@/no/such/file');
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('/no/such/file cannot be read') });
});

scenario('exit codes tell how it went', async () => {
  const failed = await perdure().run('jobs', 'submit', 'fail', '--param', 'message=out of luck', '--wait');
  expect(failed).toMatchObject({ code: 3, stderr: expect.stringContaining('out of luck') });
  const id = await submitted(...counting);
  expect(await perdure().run('jobs', 'cancel', id, '--force', '--wait')).toMatchObject({ code: 4 });
  expect(await perdure().run('jobs', 'result', id)).toMatchObject({ code: 4 });

  const refused = await perdure().run('jobs', 'submit', 'sleep', '--param', 'seconds=long');
  expect(refused).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('/parameters/seconds: '),
  });
  expect(refused.stderr).toMatch(/invalid-parameters, trace /);
  for (const wrong of [
    ['jobs', 'nope'],
    ['jobs', 'list', '--nope'],
    ['jobs', 'submit', 'echo', '-p', '[]'],
    ['jobs', 'get'],
  ]) {
    expect([wrong, (await perdure().run(...wrong)).code]).toEqual([wrong, 2]);
  }
  const nowhere = cli({ url: 'http://127.0.0.1:1', key: 'pk_no', home: '/nonexistent' });
  expect(await nowhere.run('me')).toMatchObject({ code: 5 });
  expect(await perdure().run('--help')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Exit codes:'),
  });
});

scenario('waiting, events and followed logs go on over an API that is killed', async () => {
  const id = await submitted(...counting);
  const waiting = perdure().start('jobs', 'wait', id, '--json');
  const events = perdure().start('jobs', 'events', id, '--json');
  const logs = perdure().start('jobs', 'logs', id, '-f', '--json');
  const all = async (more: number): Promise<void> => {
    await heard(() => events.heard.stdout, lines(events.heard.stdout).length + more);
    await heard(() => logs.heard.stdout, lines(logs.heard.stdout).length + more);
    await heard(() => waiting.heard.stderr, 1);
  };
  await all(3);
  await kill();
  await all(3);
  await perdure().run('jobs', 'cancel', id, '--force');
  await kill();
  const [waited, told, logged] = await Promise.all([waiting.ended, events.ended, logs.ended]);
  expect([waited.code, told.code, logged.code]).toEqual([4, 0, 0]);
  expect(JSON.parse(waited.stdout)).toMatchObject({ id, status: 'CANCELED' });
  const ids = lines(told.stdout).map((line) => Number(JSON.parse(line).id));
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  const counted = lines(logged.stdout)
    .map((line) => JSON.parse(line) as LogLine)
    .filter(({ stream }) => stream === 'log')
    .map(({ text }) => Number(text.split(' ')[0]));
  expect(counted.length).toBeGreaterThan(6);
  expect(counted).toEqual(counted.map((_, index) => index + 1));
});

scenario('Ctrl-C leaves the job running, and says so', async () => {
  const id = await submitted(...counting);
  const waiting = perdure().start('jobs', 'wait', id);
  await heard(() => waiting.heard.stderr, 1);
  waiting.child.kill('SIGINT');
  expect(await waiting.ended).toMatchObject({
    code: 130,
    stderr: expect.stringContaining(`perdure jobs wait ${id}`),
  });
  expect((await api.job(id)).cancelRequestedAt).toBeNull();
  const following = perdure().start('jobs', 'logs', id, '-f');
  await heard(() => following.heard.stdout, 1);
  following.child.kill('SIGINT');
  expect(await following.ended).toMatchObject({ code: 130, stderr: '' });
  await api.cancel(id, { mode: 'force' });
});

scenario('whoever has read enough ends it quietly', async () => {
  const id = await submitted(...counting);
  expect(await perdure().shell(`perdure jobs logs ${id} -f | head -n 2`)).toEqual({
    code: 0,
    stdout: '1 of 100000\n2 of 100000\n',
    stderr: '',
  });
  await api.cancel(id, { mode: 'force' });
});

scenario('a result that is a file is saved whole', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-cli-'));
  await registerByHand(api);
  const agent = await newHttpAgent(api, { pools: ['files'] });
  const id = await submitted('jobs', 'submit', 'by-hand', '--param', 'text=x', '--pool', 'files');
  const assignment = await agent.claim({ waitSeconds: 20 });
  const attempt = assignment?.attempt ?? 0;
  await agent.upload(id, attempt, 'rows.csv', 'a,b\n');
  await agent.complete(id, { attempt, result: 'rows.csv' });
  const path = join(folder, 'saved.csv');
  expect(await perdure().run('jobs', 'result', id, '-o', path)).toMatchObject({ code: 0, stdout: '' });
  expect(await readFile(path, 'utf8')).toBe('a,b\n');
  expect(await perdure().run('jobs', 'result', id)).toMatchObject({ code: 0, stdout: 'a,b\n' });
  await rm(folder, { recursive: true });
});

scenario('a job is shared', async () => {
  const id = await submitted('jobs', 'submit', 'echo');
  const email = 'ada@example.com';
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ email, displayName: 'Ada' });
  const made = await api.call('POST', '/v1/users', { headers, body });
  const { id: ada } = (await made.json()) as { id: string };
  const shared = await perdure().run('jobs', 'share', id, email, '--as', 'editor');
  expect(shared).toMatchObject({ code: 0, stdout: `${ada} editor\n` });
  const listed = await perdure().run('jobs', 'access', id);
  expect(listed.stdout).toMatch(new RegExp(`owner[^]*^${ada} +Ada +ada@example.com +editor`, 'm'));
  expect(await perdure().run('jobs', 'unshare', id, ada)).toMatchObject({ code: 0 });
  expect((await perdure().run('jobs', 'access', id)).stdout).not.toContain(ada);
});

scenario('agents, functions and keys', async () => {
  const { items } = await perdure().json<{ items: { id: string; kind: string }[] }>('agents', 'list');
  const agent = items.find(({ kind }) => kind === 'native')?.id ?? '';
  expect((await perdure().run('agents', 'drain', agent)).stdout).toMatch(/drain/);
  expect((await perdure().run('agents', 'resume', agent)).stdout).not.toMatch(/drain asked for/);
  expect((await perdure().run('agents', 'get', agent)).stdout).toMatch(/^functions +.*sleep@1\.0\.0/m);
  expect((await perdure().run('functions', 'list')).stdout).toMatch(/^echo@1\.0\.0 +/m);
  expect(await perdure().json('functions', 'get', 'echo')).toMatchObject({ name: 'echo', version: '1.0.0' });
  const made = await perdure().run('keys', 'create', 'for a test', '--role', 'member');
  expect(made.stdout).toMatch(/^pk_\S+\n$/);
  const { stdout } = await perdure().run('keys', 'list');
  expect(stdout).toContain('for a test');
  expect(stdout).not.toContain(made.stdout.trim());
  const id =
    lines(stdout)
      .find((line) => line.includes('for a test'))
      ?.split(' ')[0] ?? '';
  expect(await perdure().run('keys', 'revoke', id)).toMatchObject({ code: 0 });
  expect((await perdure().run('keys', 'list')).stdout).toMatch(/for a test .* revoked/);
  const audit = (...more: string[]) => perdure().run('audit', '--target', id, ...more);
  expect((await audit()).stdout).toMatch(/revokeKey +key \S+ +done[^]*createKey/);
  const all = lines((await audit('--all', '--page-size', '1')).stdout).map(
    (line) => JSON.parse(line) as object,
  );
  expect(all).toMatchObject([{ action: 'revokeKey' }, { action: 'createKey', target: { kind: 'key', id } }]);
});
