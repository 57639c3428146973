import { expect } from '@jest/globals';
import type { Job, JobCounts, JobPage } from '@perdure/client';
import { waitFor } from '../support/wait.ts';
import { cli } from './support/cli.ts';
import { type Api, house, type House } from './support/house.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;
const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api] = await Promise.all([
    here.startApi(),
    here.startOrchestrator(),
    here.startAgent({ AGENT_POOL: 'birds' }),
  ]);
});

const perdure = () => cli({ url: api.url, key: api.key, home: '/nonexistent' });
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
const found = async (...filters: string[]) =>
  (await perdure().json<JobPage>('jobs', 'list', ...filters)).items.map(({ name }) => name);

scenario('a job for each line of a file, and those that are refused by their lines', async () => {
  const requests = [
    { function: 'echo', name: 'one' },
    { function: 'nothing' },
    { function: 'echo', name: 'three' },
  ];
  const [one, two, three] = requests.map((request) => JSON.stringify(request));
  const path = await here.file('jobs.ndjson', `${one}\n${two}\n\n${three}`);
  const batch = ['jobs', 'submit', '--batch', path, '--idempotency-key', 'from-a-file'];
  const first = await perdure().run(...batch);
  expect(first).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^line 2: .*\(unknown-function\)$/m),
  });
  const ids = lines(first.stdout);
  expect(ids).toHaveLength(2);
  expect(lines((await perdure().run(...batch)).stdout)).toEqual(ids);
  const json = lines((await perdure().run(...batch, '--json')).stdout).map((line) => JSON.parse(line));
  expect(json).toMatchObject([
    { line: 1, job: { id: ids[0], name: 'one' } },
    { line: 2, problem: { code: 'unknown-function' } },
    { line: 4, job: { id: ids[1], name: 'three' } },
  ]);
  const given = await perdure().runWith(`${one}\n`, 'jobs', 'submit', '--batch', '-');
  expect(given).toMatchObject({ code: 0, stderr: '' });
  const wrong: [args: string[], input: string, says: string][] = [
    [['--batch', '-'], `${one}\nnothing\n`, 'line 2 is no JSON'],
    [['--batch', '-'], '[]', 'line 1 is no request'],
    [['--batch', '/no/such/file'], '', '/no/such/file cannot be read'],
    [['--batch', '/'], '', '/ cannot be read'],
    [['echo', '--batch', '-'], '', '--batch goes with'],
    [[], '', 'Say which function'],
  ];
  for (const [args, input, says] of wrong) {
    const ran = await perdure().runWith(input, 'jobs', 'submit', ...args);
    expect([args, ran.code, ran.stdout]).toEqual([args, 2, '']);
    expect(ran.stderr).toContain(says);
  }
});

scenario('jobs are found by what they are, counted, archived and run again', async () => {
  const submit = async (name: string, ...more: string[]) =>
    lines((await perdure().run('jobs', 'submit', 'echo', '--name', name, '-w', ...more)).stderr)[0] ?? '';
  const early = await submit('early bird', '-l', 'team=north, far', '-l', 'a=b', '--param', 'model=iris');
  const late = await submit('late bird', '-l', 'team=north, far', '--pool', 'birds');
  const job = await perdure().json<Job>('jobs', 'get', late);
  const all = ['-l', 'team=north, far'];
  expect(await found(...all)).toEqual(['late bird', 'early bird']);
  expect(await found(...all, '--sort', 'createdAt')).toEqual(['early bird', 'late bird']);
  for (const [filters, names] of [
    [['-l', 'a=b'], ['early bird']],
    [['--model', 'iris'], ['early bird']],
    [['-q', 'LATE B'], ['late bird']],
    [['--pool', 'birds'], ['late bird']],
    [['--owner', 'nobody'], []],
    [
      ['--agent', job.agentId ?? ''],
      ['late bird', 'early bird'],
    ],
    [['--created-after', job.createdAt], ['late bird']],
    [['--created-before', job.createdAt], ['early bird']],
    [['--ended-after', job.endedAt ?? ''], ['late bird']],
    [['--ended-before', job.createdAt], ['early bird']],
  ] as const) {
    expect([filters, await found(...all, ...filters)]).toEqual([filters, [...names]]);
  }

  const before = await perdure().json<JobCounts>('jobs', 'counts');
  const archived = await perdure().run('jobs', 'archive', early, '--reason', 'looked into');
  expect(archived).toMatchObject({ code: 0, stdout: expect.stringMatching(/^COMPLETED, archived 2\S+Z\n$/) });
  expect(await found(...all)).toEqual(['late bird']);
  expect(await found(...all, '--archived')).toEqual(['early bird']);
  expect(await found(...all, '--archived', 'any')).toEqual(['late bird', 'early bird']);
  const after = await perdure().json<JobCounts>('jobs', 'counts');
  expect([after.archived, after.counts.COMPLETED]).toEqual([
    before.archived + 1,
    before.counts.COMPLETED - 1,
  ]);
  expect((await perdure().run('jobs', 'counts')).stdout).toMatch(/^COMPLETED +\d+$/m);
  expect(await perdure().run('jobs', 'restore', early)).toMatchObject({ code: 0, stdout: 'COMPLETED\n' });

  const again = await perdure().run('jobs', 'rerun', early, '--wait');
  expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/^COMPLETED/) });
  const [id = ''] = lines(again.stderr);
  expect(await perdure().json('jobs', 'get', id)).toMatchObject({ rerunOf: early, name: 'early bird' });
  expect((await perdure().run('jobs', 'get', early)).stdout).toMatch(new RegExp(`^reruns +${id}$`, 'm'));
});

scenario(
  'the events of all jobs go on over an API that is killed, and later from where they were',
  async () => {
    const following = perdure().start('events', '-f', '--json');
    await waitFor(() => following.heard.stderr.includes('Listening'), {
      what: 'it to listen',
      timeoutMs: 30_000,
    });
    const submit = async () => lines((await perdure().run('jobs', 'submit', 'echo', '-w')).stderr)[0] ?? '';
    const ended = (id: string) => () =>
      lines(following.heard.stdout).some((line) => {
        const { event } = JSON.parse(line) as { event: { jobId: string; status: string } };
        return event.jobId === id && event.status === 'COMPLETED';
      });
    const one = await submit();
    await waitFor(ended(one), { what: 'the first to end', timeoutMs: 30_000 });
    await api.program().kill();
    await api.startAgain();
    const two = await submit();
    await waitFor(ended(two), { what: 'the second to end', timeoutMs: 30_000 });
    following.child.kill('SIGINT');
    const { code, stdout, stderr } = await following.ended;
    expect(code).toBe(130);
    const told = lines(stdout).map(
      (line) => JSON.parse(line) as { id: string; event: { jobId: string; seq: number } },
    );
    for (const id of [one, two]) {
      const seqs = told.filter(({ event }) => event.jobId === id).map(({ event }) => event.seq);
      expect(seqs).toEqual((await api.history(id)).map(({ seq }) => seq));
    }
    const last = /perdure events --after (\S+)/.exec(stderr)?.[1] ?? '';
    expect(last).toBe(told.at(-1)?.id);
    const three = await submit();
    const later = perdure().start('events', '--after', last);
    await waitFor(() => later.heard.stdout.includes('COMPLETED'), {
      what: 'the third to end',
      timeoutMs: 30_000,
    });
    later.child.kill('SIGINT');
    const rest = lines((await later.ended).stdout);
    expect(rest[0]).toMatch(new RegExp(`^\\S+Z {2}${three} {2}created {2}CREATED`));
    expect(rest.every((line) => line.includes(three))).toBe(true);
  },
);
