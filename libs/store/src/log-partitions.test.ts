import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { defaultTenantId } from '@perdure/job/ids';
import { sql } from 'kysely';
import type { OpenDatabase } from './database.ts';
import { dropLogPartitions, logsKeptSince, makeLogPartitions } from './log-partitions.ts';
import { appendLogs, type NewLogLine } from './logs.ts';
import { alongTheIndex, getLogs } from './read-logs.ts';
import { makeRecorder } from './record.ts';
import { anEntry, aStart, openFresh } from './test-support.ts';

let db: OpenDatabase;
let drop: () => Promise<void>;
beforeEach(async () => ({ db, drop } = await openFresh()));
afterEach(() => drop());

const dayMs = 86_400_000;
const day = (offset: number) => new Date(Date.now() + offset * dayMs).toISOString().slice(0, 10);
const nameOf = (offset: number) => `job_logs_${day(offset).replaceAll('-', '')}`;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

async function partitions(): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select inhrelid::regclass::text as name from pg_inherits
    where inhparent = 'job_logs'::regclass order by 1`.execute(db.kysely);
  return rows.map(({ name }) => name);
}

async function aJob(): Promise<string> {
  const id = randomUUID();
  const entry = anEntry(id, 1, 5, { start: aStart({ admitted: false }) });
  await makeRecorder(db).record({ ...entry, state: { ...entry.state, createdAt: new Date().toISOString() } });
  return id;
}

const line = (text: string): NewLogLine => ({
  at: new Date().toISOString(),
  stream: 'log',
  level: 'info',
  text,
});
const textsOf = async (id: string) =>
  (await getLogs(db, defaultTenantId, id, { limit: 100, bytes: 1_000_000 })).lines.map(({ text }) => text);

async function addPartition(offset: number): Promise<void> {
  await sql
    .raw(
      `create table ${nameOf(offset)} partition of job_logs
    for values from ('${day(offset)} 00:00+00') to ('${day(offset + 1)} 00:00+00')`,
    )
    .execute(db.kysely);
}

test('there is a table for yesterday and each day of the week to come; missing ones are made, by any number at once', async () => {
  const all = range(-1, 7).map(nameOf);
  expect(await partitions()).toEqual(all);
  for (const gone of [nameOf(0), nameOf(5)]) await sql.raw(`drop table ${gone}`).execute(db.kysely);
  await Promise.all(range(1, 4).map(() => makeLogPartitions(db)));
  expect(await partitions()).toEqual(all);
});

test('lines for which there is no table make it', async () => {
  const id = await aJob();
  for (const gone of range(-1, 7).map(nameOf)) await sql.raw(`drop table ${gone}`).execute(db.kysely);
  await appendLogs(db, id, 1, [line('one'), line('two')]);
  expect(await textsOf(id)).toEqual(['one', 'two']);
});

test('old lines go with their tables, and what is kept is told', async () => {
  for (const offset of [-32, -31, -30]) await addPartition(offset);
  expect(await logsKeptSince(db)).toBe(`${day(-32)}T00:00:00.000Z`);
  const id = await aJob();
  await appendLogs(db, id, 1, [line('kept')]);
  expect(await dropLogPartitions(db, 30)).toEqual([nameOf(-32), nameOf(-31)]);
  expect(await dropLogPartitions(db, 30)).toEqual([]);
  expect(await partitions()).toEqual([-30, ...range(-1, 7)].map(nameOf));
  expect(await logsKeptSince(db)).toBe(`${day(-30)}T00:00:00.000Z`);
  expect(await textsOf(id)).toEqual(['kept']);
});

test('dropping does not wait for one who reads on and on, holds up no writer, and is finished later', async () => {
  const id = await aJob();
  await addPartition(-40);
  const reader = await db.pool.connect();
  try {
    await reader.query('begin; select count(*) from job_logs');
    const dropping = dropLogPartitions(db, 30);
    const refused = expect(dropping).rejects.toMatchObject({ code: '55P03' });
    let over = false;
    void refused.finally(() => (over = true));
    let written = 0;
    while (!over) await appendLogs(db, id, 1, [line(String(written++))]);
    await refused;
    // It looks again, and so does the next round.
    await expect(dropLogPartitions(db, 30)).rejects.toMatchObject({ code: '55P03' });
    expect(await logsKeptSince(db)).toBe(`${day(-1)}T00:00:00.000Z`);
    expect(
      (await getLogs(db, defaultTenantId, id, { limit: 1_000_000, bytes: 1_000_000 })).lines,
    ).toHaveLength(written);
    expect(written).toBeGreaterThan(10);
    await reader.query('commit');
  } finally {
    reader.release(true);
  }
  expect(await dropLogPartitions(db, 30)).toEqual([nameOf(-40)]);
  expect(await partitions()).not.toContain(nameOf(-40));
  const { rows } = await sql`show lock_timeout`.execute(db.kysely);
  expect(rows).toEqual([{ lockTimeout: '0' }]);
});

test('a log is read in order along the indexes: nothing is sorted, and no table is read whole', async () => {
  const [id, other] = [await aJob(), await aJob()];
  for (const one of [id, other]) {
    await sql`insert into job_logs (tenant_id, job_id, at, attempt, stream, level, text)
      select ${defaultTenantId}, ${one}, now() - n * interval '1 second', 1, 'log', 'info', 'line ' || n
      from generate_series(1, 20000) as n`.execute(db.kysely);
  }
  // Without statistics: those of a table of today come late.
  const client = await db.pool.connect();
  try {
    await client.query(`begin; ${alongTheIndex}`);
    const { rows } = await client.query<string[]>({
      rowMode: 'array',
      text: `explain select at, text from job_logs where tenant_id = '${defaultTenantId}' and job_id = '${id}'
        and at > now() - interval '1 hour' order by at limit 1000`,
    });
    const plan = rows.flat().join('\n');
    expect(plan).toContain('Index Scan using');
    expect(plan).not.toMatch(/Seq Scan|Bitmap|Sort {2}/);
  } finally {
    client.release(true);
  }
});

test('lines are found by attempt, stream, level and text; a search looks at so many lines', async () => {
  const id = await aJob();
  await appendLogs(db, id, 1, [
    { ...line('An Error: 100%_\\'), stream: 'stderr', level: 'error' },
    { ...line('all is well'), level: 'debug' },
    { ...line('be warned'), stream: 'stdout', level: 'warn' },
  ]);
  const found = async (filter: object) =>
    (await getLogs(db, defaultTenantId, id, { limit: 100, bytes: 1_000_000, ...filter })).lines.map(
      ({ text }) => text.slice(0, 2),
    );
  expect(await found({ attempt: 1 })).toEqual(['An', 'al', 'be']);
  expect(await found({ attempt: 2 })).toEqual([]);
  expect(await found({ streams: ['stderr', 'stdout'] })).toEqual(['An', 'be']);
  expect(await found({ levels: ['debug'] })).toEqual(['al']);
  expect(await found({ containing: 'ERROR' })).toEqual(['An']);
  expect(await found({ containing: '0%_\\' })).toEqual(['An']);
  expect(await found({ containing: 'a%l' })).toEqual([]);
  const all = (await getLogs(db, defaultTenantId, id, { limit: 100, bytes: 1_000_000 })).lines;
  const search = async (searched: number, since?: string) => {
    const { lines, until } = await getLogs(db, defaultTenantId, id, {
      limit: 9,
      bytes: 1_000_000,
      searched: { lines: searched, bytes: 1_000_000 },
      since,
      containing: 'a',
    });
    return [lines.map(({ text }) => text.slice(0, 2)), until];
  };
  expect(await search(2)).toEqual([['An', 'al'], all[1]?.at]);
  expect(await search(2, all[0]?.at)).toEqual([['al', 'be'], all[2]?.at]);
  expect(await search(4)).toEqual([['An', 'al', 'be'], undefined]);
});

test('a part of a log ends with the line that fills it, be it by lines or by bytes; a search with as much that it looked at', async () => {
  const id = await aJob();
  const texts = ['aaaa', 'bb', 'ééé', 'd', 'eeee'];
  await appendLogs(db, id, 1, texts.map(line));
  const all = (await getLogs(db, defaultTenantId, id, { limit: 9, bytes: 99 })).lines;
  const part = async (part: object) => {
    const some = { limit: 9, bytes: 99, ...part };
    const { lines, until, full } = await getLogs(db, defaultTenantId, id, some);
    return [lines.map(({ text }) => text), full, all.findIndex(({ at }) => at === until)];
  };
  expect(await part({})).toEqual([texts, false, -1]);
  expect(await part({ limit: 2 })).toEqual([['aaaa', 'bb'], true, -1]);
  expect(await part({ bytes: 1 })).toEqual([['aaaa'], true, -1]);
  expect(await part({ bytes: 6 })).toEqual([['aaaa', 'bb'], true, -1]);
  expect(await part({ bytes: 7 })).toEqual([['aaaa', 'bb', 'ééé'], true, -1]);
  expect(await part({ bytes: 7, since: all[1]?.at })).toEqual([['ééé', 'd'], true, -1]);
  expect(await part({ bytes: 17 })).toEqual([texts, true, -1]);
  expect(await part({ searched: { lines: 9, bytes: 7 } })).toEqual([['aaaa', 'bb', 'ééé'], false, 2]);
  expect(await part({ searched: { lines: 9, bytes: 4 }, containing: 'b' })).toEqual([[], false, 0]);
  expect(await part({ searched: { lines: 2, bytes: 99 }, containing: 'b' })).toEqual([['bb'], false, 1]);
  expect(await part({ bytes: 1, searched: { lines: 3, bytes: 99 }, containing: 'b' })).toEqual([
    ['bb'],
    true,
    2,
  ]);
});
