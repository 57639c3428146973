import { afterAll, beforeAll, expect } from '@jest/globals';
import { defaultTenantId } from '@perdure/job/ids';
import type { Job } from '@perdure/job/schemas';
import { getJob, type JobRecord } from '@perdure/store/read';
import { Client, Connection } from '@temporalio/client';
import { freshNamespace, temporalAddress } from '../../../../tests/support/temporal.ts';
import { startApi, type TestApi } from './api.ts';
import { announceAll } from './catalogue.ts';
import { ended, recordState } from './record.ts';

export const sleepJob = { function: 'sleep', parameters: { seconds: 1 } };

/** An API with a real Temporal server, at which no worker runs: what workflows would record, the tests record. */
export type ApiWithoutWorkers = TestApi & {
  client: Client;
  submitted(request?: object): Promise<Job>;
  /** A job that an agent runs, as far as the record knows. */
  running(request?: object): Promise<Job>;
  recorded(job: { id: string }, some: Parameters<typeof recordState>[2]): Promise<void>;
  rowOf(job: { id: string }): Promise<JobRecord>;
  /** How many status queries the API has sent. */
  queries(): Promise<number>;
};

/** Starts it before the tests of a file, and stops it after them. */
export function apiWithoutWorkers(environment: Record<string, string> = {}): () => ApiWithoutWorkers {
  let opened: ApiWithoutWorkers | undefined;
  let connection: Connection | undefined;
  beforeAll(async () => {
    const namespace = await freshNamespace();
    connection = await Connection.connect({ address: temporalAddress() });
    const api = await startApi({
      TEMPORAL_ADDRESS: temporalAddress(),
      TEMPORAL_NAMESPACE: namespace,
      TEMPORAL_UI_URL: 'http://127.0.0.1:8233',
      STATUS_BUDGET_MS: '300',
      ...environment,
    });
    await announceAll(api.db);
    opened = { ...api, client: new Client({ connection, namespace }), ...jobsOf(api) };
  });
  afterAll(async () => {
    await opened?.stop();
    await connection?.close();
  });
  return () => {
    if (opened === undefined) throw new Error('the API is not started yet');
    return opened;
  };
}

function jobsOf(api: TestApi) {
  const recorded: ApiWithoutWorkers['recorded'] = ({ id }, some) =>
    recordState(api.db, { id, tenantId: defaultTenantId }, some);

  async function submitted(request: object = sleepJob): Promise<Job> {
    const answer = await api.ask<Job>('/v1/jobs', { json: request });
    expect(answer.status).toBe(201);
    return answer.body;
  }

  async function running(request: object = sleepJob): Promise<Job> {
    const job = await submitted(request);
    await recorded(job, { status: 'PENDING' });
    await recorded(job, { status: 'RUNNING', attempt: 1, agentId: 'agent-1', startedAt: ended() });
    return job;
  }

  async function rowOf({ id }: { id: string }): Promise<JobRecord> {
    const row = await getJob(api.db, defaultTenantId, id);
    if (row === undefined) throw new Error(`there is no row of ${id}`);
    return row;
  }

  async function queries(): Promise<number> {
    const { text } = await api.ask('/metrics');
    return [...text.matchAll(/^perdure_status_queries_total\{.*\} (\d+)$/gm)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  }

  return { submitted, running, recorded, rowOf, queries };
}
