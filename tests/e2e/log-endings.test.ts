import { expect } from '@jest/globals';
import { Job, LogLine } from '@perdure/job/schemas';
import type { Status } from '@perdure/job/status';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
/** Two replicas of the API. */
let api: Api;
let other: Api;

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api, other] = await Promise.all([here.startApi(), here.startApi(), here.startOrchestrator()]);
  // It does not wait for the tables, as an agent of its own does.
  await here.startEmbeddedAgent(import.meta.resolve('../fixtures/functions/odd.ts'));
});

const ndjson = { headers: { accept: 'application/x-ndjson' } };
const linesIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => LogLine.parse(JSON.parse(line)));

/** The job as soon as it is seen to be over. */
async function over(id: string): Promise<Job> {
  for (;;) {
    const answer = await api.call('GET', `/v1/jobs/${id}`, { headers: { prefer: 'wait=30' } });
    const job = Job.parse(await answer.json());
    if (job.endedAt !== null) return job;
  }
}

const count = 5_000;

const endings: [string, Status][] = [
  ['returns', 'COMPLETED'],
  ['fails', 'FAILED'],
  ['stops', 'CANCELED'],
];
for (const [end, status] of endings) {
  scenario(`all that a job said in its last moment is there once it is seen as ${status}`, async () => {
    for (let round = 0; round < 3; round++) {
      const { id } = await api.submit({ function: 'ends-talking', parameters: { end, lines: count } });
      const followed = other.call('GET', `/v1/jobs/${id}/logs?follow=true`).then((answer) => answer.text());
      if (end === 'stops') {
        await waitFor(async () => (await api.logs(id)).length > 0, { what: 'the job to run' });
        expect((await api.cancel(id)).status).toBe(202);
      }
      expect((await over(id)).status).toBe(status);
      const read = linesIn(await (await other.call('GET', `/v1/jobs/${id}/logs`, ndjson)).text());
      expect(read.map(({ text }) => text)).toEqual([
        'begun',
        ...Array.from({ length: count }, (_, n) => `line ${n}`),
      ]);
      expect(read.every(({ at }, n) => n === 0 || at > (read[n - 1]?.at ?? ''))).toBe(true);
      expect(linesIn(await followed)).toEqual(read);
    }
  });
}

scenario('lines that are older than they are kept go with their table, and the job stays', async () => {
  const { id } = await api.submit({ function: 'ends-talking', parameters: { end: 'returns', lines: 1 } });
  await api.ended(id);
  await here.query(`
    create table job_logs_20200102 partition of job_logs for values from ('2020-01-02 00:00+00') to ('2020-01-03 00:00+00')`);
  await here.query(
    `insert into job_logs select tenant_id, job_id, '2020-01-02 12:00+00', attempt, stream, level, 'old' from job_logs
     where job_id = $1 and text = 'begun'`,
    [id],
  );
  await here.query(`update jobs set created_at = '2020-01-02' where id = $1`, [id]);
  const gone = `select from pg_class where relname = 'job_logs_20200102'`;
  await waitFor(async () => (await here.query(gone)).rows.length === 0, {
    what: 'the table to be dropped',
    timeoutMs: 30_000,
  });
  const replica = await here.startApi();
  const answer = await replica.call('GET', `/v1/jobs/${id}/logs`, ndjson);
  expect(Date.parse(answer.headers.get('perdure-logs-kept-since') ?? '')).toBeGreaterThan(
    Date.parse('2020-01-03'),
  );
  expect(linesIn(await answer.text()).map(({ text }) => text)).toEqual(['begun', 'line 0']);
  expect((await api.job(id)).status).toBe('COMPLETED');
});
