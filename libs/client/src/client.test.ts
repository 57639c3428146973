import { expect, test } from '@jest/globals';
import { apiWithoutWorkers, sleepJob } from '../../../apps/api/src/testing/api-without-workers.ts';
import { ended } from '../../../apps/api/src/testing/record.ts';
import { type Job, type JobFilter, JobNotCompleted, Perdure, PerdureProblem } from './index.ts';

const api = apiWithoutWorkers();
const client = (more: Partial<ConstructorParameters<typeof Perdure>[0]> = {}) =>
  new Perdure({ url: api().url, token: api().adminKey, ...more });

async function caught(asked: Promise<unknown>): Promise<PerdureProblem> {
  const error = await asked.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PerdureProblem);
  return error as PerdureProblem;
}

test('a job is submitted, read and found in lists', async () => {
  const job = await client().submit({ ...sleepJob, labels: { team: 'north' } });
  expect(await client().get(job.id)).toMatchObject({ id: job.id, labels: { team: 'north' } });
  expect((await client().history(job.id)).map(({ type }) => type)).toContain('created');
});

test('a submit whose answer is lost makes one job', async () => {
  let lost = 0;
  const losing: typeof fetch = async (...args) => {
    const response = await fetch(...args);
    if (lost++ > 0) return response;
    await response.text();
    throw new TypeError('fetch failed');
  };
  const job = await client({ fetch: losing }).submit({ ...sleepJob, name: 'lost' });
  expect(lost).toBe(2);
  const named = [];
  for await (const one of client().list()) if (one.name === 'lost') named.push(one.id);
  expect(named).toEqual([job.id]);
});

test('a submit with a key that was used before gets the job of then', async () => {
  const first = await client().submit(sleepJob, { idempotencyKey: 'nightly' });
  expect((await client().submit(sleepJob, { idempotencyKey: 'nightly' })).id).toBe(first.id);
});

test('a problem says which places are wrong', async () => {
  const wrong = await caught(client().submit({ function: 'sleep', parameters: { seconds: 'long' } }));
  expect(wrong).toMatchObject({
    code: 'invalid-parameters',
    status: 422,
    errors: [{ pointer: '/parameters/seconds', detail: expect.any(String) }],
    traceId: expect.any(String),
  });
  expect(wrong.message).toBe(wrong.problem.detail);
  expect(await caught(client().get('nobody'))).toMatchObject({ code: 'not-found', status: 404 });
  expect(await caught(client({ token: 'pk_no' }).me())).toMatchObject({
    code: 'unauthenticated',
    status: 401,
  });
});

test('jobs are filtered, sorted and counted', async () => {
  const before = await client().counts();
  const first = await client().submit({ ...sleepJob, labels: { place: 'north, by the sea', team: 'a' } });
  const second = await client().submit({ ...sleepJob, labels: { place: 'north, by the sea', team: 'b' } });
  const found = async (query: JobFilter) => {
    const ids = [];
    for await (const { id } of client().list(query)) ids.push(id);
    return ids;
  };
  const place = 'place:north, by the sea';
  expect(await found({ label: [place] })).toEqual([second.id, first.id]);
  expect(await found({ label: [place], sort: 'createdAt', status: ['CREATED', 'PENDING'] })).toEqual([
    first.id,
    second.id,
  ]);
  expect(await found({ label: [place, 'team:b'] })).toEqual([second.id]);
  expect(await found({ label: [place], createdBefore: first.createdAt })).toEqual([]);
  expect((await client().counts()).counts.CREATED).toBe(before.counts.CREATED + 2);
});

test('a job that has ended is run again, archived and restored', async () => {
  const job = await api().running();
  expect(await caught(client().rerun(job.id))).toMatchObject({ code: 'transition-refused' });
  await api().recorded(job, { status: 'FAILED', endedAt: ended() });
  const again = await client().rerun(job.id, { idempotencyKey: 'again' });
  expect(again).toMatchObject({ rerunOf: job.id, status: 'CREATED' });
  expect((await client().rerun(job.id, { idempotencyKey: 'again' })).id).toBe(again.id);
  expect(await caught(client().archive(job.id, { ifMatch: '"0"' }))).toMatchObject({
    code: 'precondition-failed',
  });
  expect((await client().archive(job.id, { reason: 'seen' })).archivedAt).not.toBeNull();
  expect((await client().page({ archived: true })).items.map(({ id }) => id)).toEqual([job.id]);
  expect((await client().counts()).archived).toBe(1);
  expect((await client().restore(job.id)).archivedAt).toBeNull();
});

test('a job and a file are shared, and taken back', async () => {
  const user = await api().userWith('member');
  const { key } = await client().keys.create({ name: 'of a member', userId: user.id });
  const member = client({ token: key });
  const job = await client().submit(sleepJob);
  const file = await client().files.upload('some bytes', { name: 'a.txt' });
  for (const [access, id] of [
    [client().access, job.id],
    [client().files.access, file.id],
  ] as const) {
    expect(await access.give(id, { user: { id: user.id }, access: 'viewer' })).toMatchObject({
      access: 'viewer',
    });
    expect((await access.list(id)).map((one) => one.access)).toEqual(['owner', 'viewer']);
  }
  expect([(await member.get(job.id)).id, (await member.files.get(file.id)).id]).toEqual([job.id, file.id]);
  await client().access.take(job.id, user.id);
  await client().files.access.take(file.id, user.id);
  for (const read of [() => member.get(job.id), () => member.files.get(file.id)])
    expect(await caught(read())).toMatchObject({ code: 'not-found' });
});

test('the events of all jobs come from when the stream is open on, and from any of them on', async () => {
  const controller = new AbortController();
  const made: Promise<Job>[] = [];
  let began = '';
  const options = {
    signal: controller.signal,
    onOpen(id: string) {
      began = id;
      made.push(client().submit(sleepJob), client().submit(sleepJob));
    },
  };
  const first = [];
  for await (const message of client().allEvents(options)) if (first.push(message) === 2) break;
  const ids = (await Promise.all(made)).map(({ id }) => id);
  expect(first.map(({ event }) => [event.jobId, event.type]).sort()).toEqual(
    ids.map((id) => [id, 'created']).sort(),
  );
  for (const [lastEventId, rest] of [
    [began, first],
    [first[0]?.id, first.slice(1)],
  ] as const) {
    const again = [];
    for await (const message of client().allEvents({ lastEventId }))
      if (again.push(message) === rest.length) break;
    expect(again).toEqual(rest);
  }
  expect(await caught(client().allEvents({ lastEventId: 'nothing' }).next())).toMatchObject({
    code: 'invalid-request',
  });
});

test('a request is checked without making a job', async () => {
  expect(await client().validate(sleepJob)).toMatchObject({ valid: true });
  expect(await caught(client().validate({ function: 'nothing' }))).toMatchObject({
    code: 'unknown-function',
  });
});

test('lists go on over all pages', async () => {
  const made = await Promise.all(Array.from({ length: 5 }, () => client().submit({ function: 'echo' })));
  const found = [];
  for await (const { id } of client().list({ pageSize: 2, function: 'echo' })) found.push(id);
  expect(found.toSorted()).toEqual(made.map(({ id }) => id).toSorted());
  expect((await client().page({ pageSize: 2, status: ['CREATED', 'PENDING'] })).items).toHaveLength(2);
});

test('waiting tells of each change, and ends with the job', async () => {
  const job = await client().submit(sleepJob);
  const seen: string[] = [];
  const waited = client().wait(job.id, {
    onChange: ({ status }) => {
      if (seen.push(status) === 1) void api().recorded(job, { status: 'RUNNING', attempt: 1, agentId: 'a' });
      if (status === 'RUNNING') void api().recorded(job, { status: 'COMPLETED', endedAt: ended() });
    },
  });
  expect(await waited).toMatchObject({ id: job.id, status: 'COMPLETED' });
  expect(seen.at(-1)).toBe('COMPLETED');
  expect(seen).toContain('RUNNING');
  expect(new Set(seen).size).toBe(seen.length);
});

test('the result of a job that failed is its error', async () => {
  const job = await api().running();
  expect(await caught(client().result(job.id))).toMatchObject({ code: 'job-not-finished' });
  const error = { code: 'execution-failed', title: 'The function failed', detail: 'out of luck' } as const;
  await api().recorded(job, { status: 'FAILED', endedAt: ended(), error });
  const thrown = await caught(client().result(job.id));
  expect(thrown).toBeInstanceOf(JobNotCompleted);
  expect(thrown).toMatchObject({ error });
  expect(await client().wait(job.id)).toMatchObject({ status: 'FAILED', error });
});

test('the result of a job that completed is its output, or a file', async () => {
  const job = await api().running();
  await api().recorded(job, {
    status: 'COMPLETED',
    endedAt: ended(),
    outcome: { output: { slept: 1 }, files: [], resultFile: null },
  });
  expect(await client().result(job.id)).toEqual({ kind: 'output', output: { slept: 1 } });

  const {
    id: fileId,
    name,
    mediaType,
    size,
    sha256,
  } = await client().files.upload('a,b\n', { name: 'rows.csv' });
  const other = await api().running();
  const files = [{ fileId, name, mediaType, size, sha256 }];
  await api().recorded(other, {
    status: 'COMPLETED',
    endedAt: ended(),
    outcome: { output: null, files, resultFile: name },
  });
  const result = await client().result(other.id);
  if (result.kind !== 'file') throw new Error('the result is no file');
  expect(result.file).toMatchObject({ id: fileId, name: 'rows.csv' });
  expect(await new Response(result.body).text()).toBe('a,b\n');
});

test('cancel, reassign and their conditions', async () => {
  const job = await client().submit(sleepJob);
  await client().reassign(job.id, { anyone: true, reason: 'why not' });
  expect(await caught(client().cancel(job.id, { ifMatch: '"0"' }))).toMatchObject({
    code: 'precondition-failed',
  });
  expect(await client().cancel(job.id, { reason: 'enough' })).toMatchObject({ id: job.id });
});

test.each([
  ['a text', 'a,b\n'],
  ['bytes', new TextEncoder().encode('a,b\n')],
  ['a Blob', new Blob(['a,b\n'])],
])('%s that was uploaded comes back as it was', async (_, content) => {
  const file = await client().files.upload(content, { name: 'rows.csv', mediaType: 'text/csv' });
  expect(file).toMatchObject({ name: 'rows.csv', mediaType: 'text/csv', size: 4 });
  const { body, file: same } = await client().files.download(file.id);
  expect(same).toEqual(file);
  expect(await new Response(body).text()).toBe('a,b\n');
});

test('a stream is uploaded as it comes, and an empty file comes back empty', async () => {
  const stream = new Blob(['a,', 'b\n']).stream();
  expect(await client().files.upload(stream, { name: 'rows.csv' })).toMatchObject({ size: 4 });
  const empty = await client().files.upload('', { name: 'empty' });
  expect(await new Response((await client().files.download(empty.id)).body).text()).toBe('');
});

test('agents, functions, keys and pools', async () => {
  expect((await client().functions.list()).map(({ name }) => name)).toContain('sleep');
  expect(await client().functions.get('sleep', '1.0.0')).toMatchObject({ name: 'sleep' });
  expect(await client().agents.list()).toBeInstanceOf(Array);
  expect(await client().pools.list()).toBeInstanceOf(Array);
  expect(await caught(client().pools.get('nowhere'))).toMatchObject({ code: 'not-found' });
  const made = await client().keys.create({ name: 'a test', role: 'member' });
  expect(await client({ token: made.key }).me()).toMatchObject({ name: 'a test', role: 'member' });
  await client().keys.revoke(made.id);
  expect((await client().keys.list()).find(({ id }) => id === made.id)?.revokedAt).not.toBeNull();
});
