import { expect } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { waitFor } from '../support/wait.ts';
import { type Api, house, type House } from './support/house.ts';
import { sharedServers } from './support/servers.ts';

let here: House;
let api: Api;

/** What is kept how long: other days than the usual ones, so that it is these that count. */
const settings = {
  RETENTION_DAYS: 'short=2,standard=20,long=200',
  LOG_RETENTION_DAYS: '5',
  AUDIT_RETENTION_DAYS: '50',
};

const { scenario } = house(sharedServers, async (opened) => {
  here = opened;
  [api] = await Promise.all([here.startApi(), here.startOrchestrator(settings), here.startAgent()]);
});

type Retention = 'short' | 'standard' | 'long' | 'forever';

async function endedJob(retention: Retention, key?: string): Promise<string> {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  const request = { function: 'count', parameters: { to: 2, everyMs: 0 }, retention };
  const { id } = await api.submit(request, headers);
  expect(await api.ended(id)).toMatchObject({ status: 'COMPLETED' });
  return id;
}
const age = (id: string, days: number) =>
  here.query(`update jobs set ended_at = ended_at - $2 * interval '1 day' where id = $1`, [id, days]);
const statusOf = async (path: string): Promise<number> => (await api.call('GET', path)).status;
const gone = (id: string) =>
  waitFor(async () => (await statusOf(`/v1/jobs/${id}`)) === 410, { what: `${id} to be purged` });
const count = async (from: string): Promise<number> => {
  const { rows } = await here.query<{ count: number }>(`select count(*)::integer as count from ${from}`);
  return rows[0]?.count ?? 0;
};
/** Whole rounds: what a round lets be is still there after them. */
async function rounds(): Promise<void> {
  const id = await endedJob('short');
  await age(id, 3);
  await gone(id);
}

scenario(
  'jobs go when the days of their class are over, with all that belongs to them, and others stay',
  async () => {
    const ages = { short: 3, standard: 21, long: 201 } as const;
    const old = await Promise.all(
      Object.entries(ages).map(async ([name, days]) => {
        const id = await endedJob(name as Retention);
        await age(id, days);
        return id;
      }),
    );
    const kept = await Promise.all(
      (
        [
          ['short', 1],
          ['standard', 19],
          ['long', 199],
          ['forever', 36_000],
        ] as const
      ).map(async ([name, days]) => {
        const id = await endedJob(name);
        await age(id, days);
        return id;
      }),
    );
    await Promise.all(old.map(gone));
    await rounds();
    const ids = old.map((id) => `'${id}'`).join(', ');
    for (const table of ['job_events', 'job_facets'])
      expect(await count(`${table} where job_id in (${ids})`)).toBe(0);
    for (const id of kept) expect(await api.job(id)).toMatchObject({ id, status: 'COMPLETED' });
    const listed = (await api.list()).map(({ id }) => id);
    expect(listed).toEqual(expect.arrayContaining(kept));
    expect(listed.filter((id) => old.includes(id))).toEqual([]);
    const { counts } = (await (await api.call('GET', '/v1/jobs:counts')).json()) as {
      counts: { COMPLETED: number };
    };
    expect(counts.COMPLETED).toBe(kept.length);
  },
);

scenario('a backlog of more jobs than go at once is worked off within a few rounds', async () => {
  const id = await endedJob('short');
  await here.query(
    `insert into jobs select (jsonb_populate_record(jobs, jsonb_build_object('id', 'backlog-' || n,
      'ended_at', now() - interval '3 days'))).* from jobs, generate_series(1, 2500) as n where id = $1`,
    [id],
  );
  await waitFor(async () => (await count(`jobs where id like 'backlog-%'`)) === 0, {
    what: 'the backlog to be purged',
    timeoutMs: 30_000,
  });
  expect(await count(`purged_jobs where id like 'backlog-%'`)).toBe(2_500);
  expect(await api.job(id)).toMatchObject({ id });
});

scenario(
  'the bytes of a purged job go from storage a week later, unless somebody else names them',
  async () => {
    const large = (text: string) => ({ function: 'echo', parameters: { text: text.repeat(200_000) } });
    const [{ id }, other] = await Promise.all([
      api.submit({ ...large('a'), retention: 'short' }),
      api.submit(large('b')),
    ]);
    const digestsOf = async (jobId: string): Promise<string[]> => {
      expect(await api.ended(jobId)).toMatchObject({ status: 'COMPLETED', files: [{ name: 'output.json' }] });
      const { rows } = await here.query<{ sha256: string }>(
        `select sha256 from files where job_id = $1 union select parameters_sha256 from jobs where id = $1`,
        [jobId],
      );
      return rows.map(({ sha256 }) => sha256);
    };
    const [going, kept] = [await digestsOf(id), await digestsOf(other.id)];
    const storage = join(await here.file('beside-storage', ''), '..', 'storage', 'objects');
    const stored = async () => (await readdir(storage, { recursive: true })).map((path) => basename(path));
    expect(await stored()).toEqual(expect.arrayContaining([...going, ...kept]));
    await age(id, 3);
    await gone(id);
    await here.query(`update stored_bytes set since = since - interval '8 days'`);
    await waitFor(async () => !(await stored()).some((name) => going.includes(name)), {
      what: 'the bytes to go',
    });
    await rounds();
    expect(await stored()).toEqual(expect.arrayContaining(kept));
  },
);

scenario('entries of the audit log go when their days are over, and others stay', async () => {
  await endedJob('standard');
  for (const days of [49, 51])
    await here.query(
      `insert into audit_entries (tenant_id, at, actor_kind, actor, action, outcome)
        select tenant_id, now() - $1 * interval '1 day', 'user', 'of old', 'submitJob', 'done' from jobs limit 1`,
      [days],
    );
  await waitFor(async () => (await count(`audit_entries where actor = 'of old'`)) === 1, {
    what: 'the older one to go',
  });
  await rounds();
  expect(await count(`audit_entries where actor = 'of old' and at > now() - interval '50 days'`)).toBe(1);
});

scenario('log lines go by the day, and the days to come have their tables', async () => {
  const id = await endedJob('standard');
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  const nameOf = (offset: number) => `job_logs_${day(offset).replaceAll('-', '')}`;
  for (const offset of [-6, -5])
    await here.query(`create table ${nameOf(offset)} partition of job_logs
      for values from ('${day(offset)} 00:00+00') to ('${day(offset + 1)} 00:00+00')`);
  for (const offset of [-6, -5])
    await here.query(
      `insert into job_logs select tenant_id, id, '${day(offset)} 12:00+00', 1, 'log', 'info', 'day ${offset}' from jobs where id = $1`,
      [id],
    );
  await here.query(`drop table ${nameOf(7)}`);
  const there = (offset: number) => count(`pg_class where relname = '${nameOf(offset)}'`);
  const done = async () => (await there(-6)) === 0 && (await there(7)) === 1;
  await waitFor(done, { what: 'one day to go and one to come' });
  expect((await api.logs(id)).map(({ text }) => text)).toEqual(['day -5', '1 of 2', '2 of 2']);
});

scenario(
  'idempotency keys and what is known of purged jobs are forgotten when their time is over',
  async () => {
    const key = (name: string) => `${name}-${String(Date.now())}`;
    const [oldKey, newKey] = [key('old'), key('new')];
    const [first, second] = [await endedJob('standard', oldKey), await endedJob('standard', newKey)];
    const [forgotten, known] = [await endedJob('short'), await endedJob('short')];
    for (const id of [forgotten, known]) await age(id, 3);
    await Promise.all([forgotten, known].map(gone));
    await here.query(`update purged_jobs set purged_at = purged_at - interval '401 days' where id = $1`, [
      forgotten,
    ]);
    await here.query(
      `update idempotency_keys set created_at = created_at - interval '49 hours' where key = $1`,
      [oldKey],
    );
    await waitFor(async () => (await statusOf(`/v1/jobs/${forgotten}`)) === 404, {
      what: 'it to be forgotten',
    });
    await rounds();
    expect(await statusOf(`/v1/jobs/${known}`)).toBe(410);
    expect(await endedJob('standard', newKey)).toBe(second);
    expect(await endedJob('standard', oldKey)).not.toBe(first);
  },
);
