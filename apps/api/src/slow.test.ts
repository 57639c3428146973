import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import type { Job } from '@perdure/job/schemas';
import { createdWithoutWorkflow } from '@perdure/store/read';
import { Client, Connection } from '@temporalio/client';
import { type Proxy, startProxy } from '../../../tests/support/proxy.ts';
import { freshNamespace, temporalAddress } from '../../../tests/support/temporal.ts';
import { waitFor } from '../../../tests/support/wait.ts';
import { startApi, type TestApi } from './testing/api.ts';
import { announceAll } from './testing/catalogue.ts';
import { ended, recordState } from './testing/record.ts';

/** An API whose servers are there, and slow; no worker runs. */
let api: TestApi;
let [toPostgres, toTemporal]: Proxy[] = [];
let connection: Connection;
let client: Client;

beforeAll(async () => {
  const [host = '', port] = temporalAddress().split(':');
  const temporal = await startProxy(host, Number(port));
  const namespace = await freshNamespace();
  toTemporal = temporal;
  api = await startApi(
    { TEMPORAL_ADDRESS: `127.0.0.1:${temporal.port}`, TEMPORAL_NAMESPACE: namespace },
    async (address) => {
      const url = new URL(address);
      toPostgres = await startProxy(url.hostname, Number(url.port));
      url.host = `127.0.0.1:${toPostgres.port}`;
      return url.href;
    },
  );
  await announceAll(api.db);
  connection = await Connection.connect({ address: temporalAddress() });
  client = new Client({ connection, namespace });
});
afterAll(async () => {
  await api.stop();
  toPostgres?.stop();
  toTemporal?.stop();
  await connection.close();
});

test('while PostgreSQL is slow and Temporal does not answer, what is accepted is answered soon, and none of it is lost', async () => {
  const echo = { function: 'echo', parameters: {} };
  const { body: over } = await api.ask<Job>('/v1/jobs', { json: echo });
  const outcome = { output: {}, files: [], resultFile: null };
  const end = { status: 'COMPLETED', endedAt: ended(), outcome } as const;
  await recordState(api.db, { id: over.id, tenantId: defaultTenantId }, end);

  toPostgres?.slow(50);
  toTemporal?.freeze();
  const began = performance.now();
  const answers = await Promise.all([
    api.ask<Job>('/v1/jobs', { json: echo }),
    api.ask<Job>(`/v1/jobs/${over.id}:rerun`, { json: {} }),
    api.ask<{ items: { job: Job }[] }>('/v1/jobs:batch', { json: { requests: [echo, echo] } }),
  ]);
  expect(performance.now() - began).toBeLessThan(8_000);
  const [single, rerun, batch] = answers;
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 207]);
  const accepted = [single.body.id, rerun.body.id, ...batch.body.items.map(({ job }) => job.id)];
  const read = await api.ask<Job>(`/v1/jobs/${single.body.id}`);
  expect(read).toMatchObject({ status: 200, body: { status: 'CREATED', source: 'record' } });

  toPostgres?.slow(0);
  toTemporal?.restore();
  // What is not started by then is left to the housekeeping, which finds it.
  const safe = async (): Promise<boolean> => {
    const left = new Set((await createdWithoutWorkflow(api.db, 0, 100)).map(({ id }) => id));
    const started = accepted.filter((id) => !left.has(id));
    const runs = await Promise.all(started.map((id) => client.workflow.getHandle(id).describe()));
    return runs.every(({ status }) => status.name === 'RUNNING');
  };
  await waitFor(safe, { what: 'every job to be started, or found by the housekeeping' });
}, 30_000);
