import { describe, expect, test } from '@jest/globals';
import { Job } from '@perdure/job/schemas';
import { randomUUID } from 'node:crypto';
import { anotherTenant } from '../testing/api.ts';
import { apiWithoutWorkers, sleepJob } from '../testing/api-without-workers.ts';
import { ended } from '../testing/record.ts';

const api = apiWithoutWorkers();

async function finished(request: object = sleepJob): Promise<Job> {
  const job = await api().running(request);
  const outcome = { output: { slept: 1 }, files: [], resultFile: null };
  await api().recorded(job, { status: 'COMPLETED', endedAt: ended(), outcome });
  return read(job.id);
}

const read = async (id: string): Promise<Job> => Job.parse((await api().ask(`/v1/jobs/${id}`)).body);
const rerun = (id: string, json: object = {}, headers: Record<string, string> = {}) =>
  api().ask<Job>(`/v1/jobs/${id}:rerun`, { json, headers });
const refusal = (id: string, json: object = {}, headers: Record<string, string> = {}) =>
  api().problem(`/v1/jobs/${id}:rerun`, { json, headers });

describe('a rerun', () => {
  test('is a new job that asks for the same, in the version that ran; each names the other', async () => {
    const asked = {
      ...sleepJob,
      version: '1.0.0',
      name: 'nap',
      labels: { team: 'north' },
      pool: 'gpu',
      priority: 1,
      limits: { runSeconds: 60 },
      maxAgentLosses: 7,
      notBefore: '2026-01-01T00:00:00Z',
    };
    const original = await finished(asked);
    const answer = await api().ask(`/v1/jobs/${original.id}:rerun`, { method: 'POST' });
    expect(answer.status).toBe(201);
    const job = Job.parse(answer.body);
    expect(answer.headers.get('location')).toBe(`/v1/jobs/${job.id}`);
    expect(answer.headers.get('etag')).toBe('"1"');
    const { notBefore: _, function: name, version, ...same } = { ...asked, version: '1.0.0' };
    const { maxAgentLosses, ...visible } = same;
    expect(job).toMatchObject({
      ...visible,
      ...{
        function: { name, version },
        status: 'CREATED',
        notBefore: null,
        rerunOf: original.id,
        reruns: [],
      },
    });
    expect(await api().rowOf(job)).toMatchObject({ start: { maxAgentLosses, rerunOf: original.id } });
    const after = await read(original.id);
    expect(after).toMatchObject({ status: 'COMPLETED', reruns: [job.id], rerunOf: null });
    expect(after.revision).toBe(original.revision + 1);
    const workflow = await api().client.workflow.getHandle(job.id).describe();
    expect(workflow.memo).toMatchObject({ rerunOf: original.id });
  });

  test('of a rerun leads back step by step', async () => {
    const original = await finished();
    const { body: second } = await rerun(original.id);
    await api().recorded(second, { status: 'FAILED', endedAt: ended() });
    const { body: third } = await rerun(second.id);
    expect(third.rerunOf).toBe(second.id);
    expect((await read(original.id)).reruns).toEqual([second.id]);
    expect(await read(second.id)).toMatchObject({ rerunOf: original.id, reruns: [third.id] });
  });

  test('has large parameters and files of the first', async () => {
    const parameters = { text: 'x'.repeat(100_000) };
    const original = await finished({ function: 'echo', parameters });
    const { body: job } = await rerun(original.id);
    expect(job.parameters).toEqual(parameters);
    const [first, second] = await Promise.all([original, job].map((one) => api().rowOf(one)));
    expect(second?.parametersSha256).toBe(first?.parametersSha256);
    expect(second?.start.parameters).toEqual({});
  });

  test('is refused when an input file or the function is gone, and leaves no trace', async () => {
    const { body: file } = await api().ask('/v1/files?name=model.onnx', {
      raw: 'bytes',
      headers: { 'content-type': 'application/octet-stream' },
    });
    const original = await finished({ function: 'predict', parameters: { model: file['id'] } });
    await api().db.kysely.deleteFrom('files').where('id', '=', String(file['id'])).execute();
    expect(await refusal(original.id)).toMatchObject({
      status: 422,
      code: 'unknown-file',
      errors: [{ pointer: '/parameters/model' }],
    });
    expect(await read(original.id)).toMatchObject({ reruns: [], revision: original.revision });
  });

  test('is refused while the job is not over', async () => {
    const job = await api().running();
    expect(await refusal(job.id)).toMatchObject({ status: 409, code: 'transition-refused' });
    expect((await read(job.id)).reruns).toEqual([]);
  });

  test('of a job of somebody else is 404, and an agent may not', async () => {
    const job = await finished();
    const foreign = await api().keyFor('member', await anotherTenant(api().db));
    const path = `/v1/jobs/${job.id}:rerun`;
    expect(await api().problem(path, { json: {}, key: foreign })).toMatchObject({ status: 404 });
    const agent = await api().keyFor('agent');
    expect(await api().problem(path, { json: {}, key: agent })).toMatchObject({ status: 403 });
    expect(await refusal(randomUUID())).toMatchObject({ status: 404 });
  });

  test.each<[object, string]>([
    [{ from: 'sleep' }, '/from'],
    [{ parameters: {} }, '/parameters'],
  ])('with %j is refused', async (json, pointer) => {
    expect(await refusal((await finished()).id, json)).toMatchObject({
      status: 422,
      code: 'invalid-request',
      errors: [{ pointer }],
    });
  });
});

describe('a rerun from a stage', () => {
  test.each(['claim', 'validate'])('%s is all of it', async (from) => {
    const { status, body } = await rerun((await finished()).id, { from });
    expect(status).toBe(201);
    expect((await api().rowOf(body)).start.validated).toBeUndefined();
  });

  test('execute needs a job that was found valid, and then goes without the check', async () => {
    const job = await finished();
    expect(await refusal(job.id, { from: 'execute' })).toMatchObject({ code: 'transition-refused' });
    await api().db.pool.query(`update job_events set type = 'validated' where job_id = $1 and seq = 3`, [
      job.id,
    ]);
    const { body } = await rerun(job.id, { from: 'execute' });
    expect((await api().rowOf(body)).start.validated).toBe(true);
  });

  test('upload is refused: nothing is kept to upload', async () => {
    const problem = await refusal((await finished()).id, { from: 'upload' });
    expect(problem).toMatchObject({ status: 409, code: 'transition-refused' });
    expect(problem.detail).toContain('execute');
  });
});

describe('a rerun that is repeated', () => {
  test('with its key is one job, also once the ETag of before is no longer true', async () => {
    const original = await finished();
    const headers = { 'idempotency-key': randomUUID(), 'if-match': `"${original.revision}"` };
    const answers = await Promise.all(Array.from({ length: 10 }, () => rerun(original.id, {}, headers)));
    const good = answers.filter(({ status }) => status === 201 || status === 200);
    expect(good.filter(({ status }) => status === 201)).toHaveLength(1);
    const again = await rerun(original.id, {}, headers);
    expect([again.status, again.body.id]).toEqual([200, good[0]?.body.id]);
    expect((await read(original.id)).reruns).toEqual([again.body.id]);
    expect(await refusal(original.id, { from: 'claim' }, headers)).toMatchObject({
      code: 'idempotency-key-reused',
    });
    const other = await finished();
    expect(await refusal(other.id, {}, headers)).toMatchObject({ code: 'idempotency-key-reused' });
  });

  test('without a key is a job each time, and all are linked', async () => {
    const original = await finished();
    const answers = await Promise.all(Array.from({ length: 10 }, () => rerun(original.id)));
    const ids = answers.map(({ body }) => body.id);
    expect(new Set(ids).size).toBe(10);
    expect([...(await read(original.id)).reruns].sort()).toEqual(ids.sort());
  });

  test('happens once for those who name the revision', async () => {
    const original = await finished();
    const headers = { 'if-match': `"${original.revision}"` };
    const answers = await Promise.all(Array.from({ length: 5 }, () => rerun(original.id, {}, headers)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 412, 412, 412, 412]);
    expect(await refusal(original.id, {}, { 'if-match': '"1"' })).toMatchObject({
      status: 412,
      code: 'precondition-failed',
    });
    expect((await read(original.id)).reruns).toHaveLength(1);
  });
});
