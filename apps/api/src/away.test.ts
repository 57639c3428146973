import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Job } from '@perdure/job/schemas';
import { defaultTenantId } from '@perdure/job/ids';
import { createdWithoutWorkflow } from '@perdure/store/read';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../../../tests/support/wait.ts';
import { startApi, type TestApi } from './testing/api.ts';
import { announceAll } from './testing/catalogue.ts';
import { ended, recordState } from './testing/record.ts';
import { type Proxy, startProxy } from '../../../tests/support/proxy.ts';

const echo = { function: 'echo', parameters: {} };

async function timed<T>(ask: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const before = performance.now();
  return { answer: await ask(), ms: performance.now() - before };
}

/** A job that is over; what runs it again has this name, and itself it has none. */
async function finished(api: TestApi, name: string): Promise<string> {
  const { body: job } = await api.ask<Job>('/v1/jobs', { json: { ...echo, name } });
  const outcome = { output: {}, files: [], resultFile: null };
  await recordState(
    api.db,
    { id: job.id, tenantId: defaultTenantId },
    { status: 'COMPLETED', endedAt: ended(), outcome },
  );
  await api.db.kysely.updateTable('jobs').set({ name: null }).where('id', '=', job.id).execute();
  return job.id;
}

describe('while Temporal is away', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi();
    await announceAll(api.db);
  });
  afterAll(() => api.stop());

  test('a submit is accepted all the same, and soon without any wait', async () => {
    for (let i = 0; i < 4; i++) {
      const { answer, ms } = await timed(() => api.ask<Job>('/v1/jobs', { json: echo }));
      expect(answer).toMatchObject({ status: 201, body: { status: 'CREATED' } });
      expect(ms).toBeLessThan(2_000);
    }
    const { ms } = await timed(() => api.ask('/v1/jobs', { json: echo }));
    expect(ms).toBeLessThan(500);
    // Housekeeping finds them all.
    expect(await createdWithoutWorkflow(api.db, 0, 100)).toHaveLength(5);
  });

  test('a batch is accepted all the same', async () => {
    const before = await createdWithoutWorkflow(api.db, 0, 100);
    const { answer, ms } = await timed(() => api.ask('/v1/jobs:batch', { json: { requests: [echo, echo] } }));
    expect(answer).toMatchObject({ status: 207, body: { items: [{ status: 201 }, { status: 201 }] } });
    expect(ms).toBeLessThan(2_000);
    expect(await createdWithoutWorkflow(api.db, 0, 100)).toHaveLength(before.length + 2);
  });

  test('a rerun is accepted all the same', async () => {
    const id = await finished(api, 'again');
    const { answer, ms } = await timed(() => api.ask<Job>(`/v1/jobs/${id}:rerun`, { json: {} }));
    expect(answer).toMatchObject({ status: 201, body: { status: 'CREATED', rerunOf: id } });
    expect(ms).toBeLessThan(2_000);
  });

  test('a job is read from the record', async () => {
    const { body } = await api.ask<Job>('/v1/jobs', { json: echo });
    const { answer, ms } = await timed(() => api.ask<Job>(`/v1/jobs/${body.id}`));
    expect(answer).toMatchObject({ status: 200, body: { source: 'record' } });
    expect(ms).toBeLessThan(1_500);
  });

  test.each([
    ['cancel', {}],
    ['reassign', { anyone: true }],
  ])('a %s is 503 within a bound, and nothing is done', async (verb, json) => {
    const { body } = await api.ask<Job>('/v1/jobs', { json: echo });
    const { answer, ms } = await timed(() => api.problem(`/v1/jobs/${body.id}:${verb}`, { json }));
    expect(answer).toMatchObject({ status: 503, code: 'unavailable' });
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(ms).toBeLessThan(4_000);
    expect((await api.ask<Job>(`/v1/jobs/${body.id}`)).body).toMatchObject({
      status: 'CREATED',
      cancelRequestedAt: null,
      cancelForced: null,
    });
  });

  test('the process lives and is not ready', async () => {
    expect((await api.ask('/livez')).status).toBe(200);
    const { body } = await api.ask('/readyz');
    expect(body).toMatchObject({
      status: 503,
      code: 'unavailable',
      checks: {
        database: { ok: true },
        migrations: { ok: true },
        temporal: { ok: false },
        worker: { ok: false },
      },
    });
  });
});

describe('while PostgreSQL is away', () => {
  let api: TestApi;
  let proxy: Proxy;
  beforeAll(async () => {
    api = await startApi({}, async (address) => {
      const url = new URL(address);
      proxy = await startProxy(url.hostname, Number(url.port));
      url.host = `127.0.0.1:${proxy.port}`;
      return url.href;
    });
    await announceAll(api.db);
    await api.ask('/v1/me');
  });
  afterAll(async () => {
    await api.stop();
    proxy.stop();
  });

  const recovered = async (): Promise<void> => {
    const well = async (): Promise<boolean> => (await api.ask('/v1/jobs')).status === 200;
    await waitFor(well, { what: 'the API to recover' });
  };

  const requests: [string, string, object?][] = [
    ['GET', '/v1/jobs'],
    ['GET', '/v1/jobs/0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70'],
    ['POST', '/v1/jobs', echo],
    ['POST', '/v1/jobs:batch', { requests: [echo, echo] }],
    ['POST', '/v1/jobs/0199f6a0-5c1e-7b3a-9d5e-2f6b8c4a1e70:rerun', {}],
    ['GET', '/v1/me'],
    ['GET', '/v1/functions'],
    ['GET', '/readyz'],
  ];

  test.each(['cut', 'freeze'] as const)(
    '(%s) everything is 503 within a bound, and well again afterwards',
    async (how) => {
      await api.ask('/v1/me');
      proxy[how]();
      const answers = await Promise.all(
        requests.map(([method, path, json]) => timed(() => api.ask(path, { method, json }))),
      );
      for (const { answer, ms } of answers) {
        expect(ms).toBeLessThan(7_000);
        // Who is asking may still be known from a moment ago.
        if (answer.status === 200) continue;
        expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
        expect(answer.headers.get('retry-after')).toBe('2');
      }
      expect((await api.ask('/livez')).status).toBe(200);
      proxy.restore();
      await recovered();
      expect((await api.ask('/v1/jobs', { json: echo })).status).toBe(201);
    },
  );

  test('waiters hear afterwards of what changed meanwhile', async () => {
    const { body: job } = await api.ask<Job>('/v1/jobs', { json: echo });
    const waiting = api.ask<Job>(`/v1/jobs/${job.id}`, {
      headers: { prefer: 'wait=30', 'if-none-match': '"1"' },
    });
    await waitFor(async () => (await api.ask('/metrics')).text.includes('perdure_waiters 1'), {
      what: 'the waiter',
    });
    proxy.cut();
    // Nobody notifies: what is read when listening begins again must do.
    await api.db.kysely
      .updateTable('jobs')
      .set({ revision: 2, name: 'changed' })
      .where('id', '=', job.id)
      .execute();
    proxy.restore();
    expect(await waiting).toMatchObject({ status: 200, body: { name: 'changed' } });
  });

  /** The ids of the jobs with this name, once no request is at work in the database any more. */
  const storedAs = async (name: string): Promise<string[]> => {
    const idle = async (): Promise<boolean> => {
      const { rows } = await api.db.pool.query<{ busy: number }>(
        `select count(*)::integer as busy from pg_stat_activity
        where datname = current_database() and application_name = 'perdure-api' and xact_start is not null`,
      );
      return rows[0]?.busy === 0;
    };
    await waitFor(idle, { what: 'all transactions to be over', timeoutMs: 40_000 });
    const rows = await api.db.kysely.selectFrom('jobs').select('id').where('name', '=', name).execute();
    return rows.map(({ id }) => id);
  };

  type Way = (name: string) => Promise<[string, object]>;
  const ways: [string, Way][] = [
    ['a submit', async (name) => ['/v1/jobs', { ...echo, name }]],
    ['a batch', async (name) => ['/v1/jobs:batch', { requests: [1, 2, 3].map(() => ({ ...echo, name })) }]],
    ['a rerun', async (name) => [`/v1/jobs/${await finished(api, name)}:rerun`, {}]],
  ];
  const idsIn = (body: Record<string, unknown>): unknown[] =>
    Array.isArray(body['items']) ? body['items'].map((item: { job?: Job }) => item.job?.id) : [body['id']];

  test.each(ways)(
    '%s that PostgreSQL is too slow for is 503, and is not stored later either',
    async (_, asked) => {
      const name = randomUUID();
      const [path, json] = await asked(name);
      await api.ask('/v1/jobs', { json: echo });
      proxy.slow(1_000);
      const { answer, ms } = await timed(() => api.ask(path, { json }));
      proxy.slow(0);
      expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      expect(ms).toBeLessThan(20_000);
      expect(await storedAs(name)).toEqual([]);
      proxy.restore();
      await recovered();
    },
    30_000,
  );

  test.each(ways)('%s whose commit is not answered is answered for by what was stored', async (_, asked) => {
    const name = randomUUID();
    const [path, json] = await asked(name);
    proxy.loseAnswerTo('commit');
    const answer = await api.ask(path, { json });
    expect([201, 207]).toContain(answer.status);
    expect(idsIn(answer.body).sort()).toEqual((await storedAs(name)).sort());
  });

  test.each(ways)('%s of which nobody can tell is 503, says so, and a repeat finds it', async (_, asked) => {
    const headers = { 'idempotency-key': randomUUID() };
    const name = randomUUID();
    const [path, json] = await asked(name);
    proxy.loseAnswerTo('commit', { thenCut: true });
    const problem = await api.problem(path, { json, headers });
    expect(problem).toMatchObject({ status: 503, code: 'unavailable' });
    proxy.restore();
    await recovered();
    const stored = await storedAs(name);
    expect(stored.some((id) => problem.detail.includes(`/v1/jobs/${id}`))).toBe(true);
    const again = await api.ask(path, { json, headers });
    expect([200, 207]).toContain(again.status);
    expect(idsIn(again.body).sort()).toEqual(stored.sort());
    expect(await storedAs(name)).toHaveLength(stored.length);
  });
});
