import { describe, expect, test } from '@jest/globals';
import { purgeEnded } from '@perdure/store/admin';
import type { Job } from '@perdure/job/schemas';
import { waitFor } from '../../../../tests/support/wait.ts';
import { anotherTenant } from '../testing/api.ts';
import { apiWithoutWorkers } from '../testing/api-without-workers.ts';

const api = apiWithoutWorkers();
const days = { short: 7, standard: 90, long: 730 };

async function endedJob(some: object = {}): Promise<Job> {
  const job = await api().submitted({ function: 'sleep', parameters: { seconds: 1 }, ...some });
  await api().recorded(job, { status: 'PENDING' });
  await api().recorded(job, { status: 'FAILED', endedAt: new Date().toISOString() });
  return job;
}
const age = (id: string, by: string) =>
  api().db.pool.query('update jobs set ended_at = ended_at - $2::interval where id = $1', [id, by]);
const linkOf = async (id: string) => (await api().ask<Job>(`/v1/jobs/${id}`)).body.links.temporal;

describe('a job that is no longer kept', () => {
  test.each(['', '/result', '/logs', '/history', '/events'])(
    'is gone at its URL%s, with what is known of it',
    async (path) => {
      const { id } = await endedJob();
      await age(id, '91 days');
      await purgeEnded(api().db, days, 100);
      const problem = await api().problem(`/v1/jobs/${id}${path}`);
      expect(problem).toMatchObject({
        status: 410,
        code: 'gone',
        job: { id, status: 'FAILED', function: { name: 'sleep' }, purgedAt: expect.any(String) },
      });
    },
  );

  test('is none at all for another tenant', async () => {
    const { id } = await endedJob();
    await age(id, '91 days');
    await purgeEnded(api().db, days, 100);
    const key = await api().keyFor('admin', await anotherTenant(api().db));
    expect(await api().problem(`/v1/jobs/${id}`, { key })).toMatchObject({ status: 404, code: 'not-found' });
  });

  test('can be neither canceled nor submitted again under its id', async () => {
    const id = '0199aaaa-0000-7000-8000-000000000001';
    await endedJob({ id });
    await age(id, '91 days');
    await purgeEnded(api().db, days, 100);
    expect(await api().problem(`/v1/jobs/${id}:cancel`, { json: {} })).toMatchObject({ code: 'gone' });
    const again = { id, function: 'sleep', parameters: { seconds: 1 } };
    expect(await api().problem('/v1/jobs', { json: again })).toMatchObject({ status: 409, code: 'id-taken' });
  });
});

describe('the class of retention', () => {
  test('is as asked for at submit, and standard without it', async () => {
    expect((await endedJob()).retention).toBe('standard');
    expect((await endedJob({ retention: 'long' })).retention).toBe('long');
  });

  test('that does not exist is refused by name', async () => {
    const json = { function: 'sleep', parameters: { seconds: 1 }, retention: 'eternal' };
    expect(await api().problem('/v1/jobs', { json })).toMatchObject({
      status: 422,
      errors: [{ pointer: '/retention' }],
    });
  });
});

test('the link to the Temporal UI is there while Temporal keeps the workflow, and no longer', async () => {
  const { id } = await endedJob();
  expect(await linkOf(id)).toContain(id);
  // The namespace keeps what is over for a day.
  await age(id, '25 hours');
  await waitFor(async () => (await linkOf(id)) === null, { what: 'the link to be gone' });
});
