import { defaultTenantId } from '@perdure/job/ids';
import type { OpenDatabase } from '@perdure/store/database';
import { appendLogs, type NewLogLine } from '@perdure/store/report';
import { get, type IncomingMessage } from 'node:http';
import type { Plan } from './arguments.ts';
import type { RunningApi } from './programs.ts';
import { startSleeping } from './reads.ts';

/** Lines/s: as an agent has them kept, and by a bare insert into a table that is read alike; and of one long log read whole over HTTP. */
export type Logs = { appended: number; inserted: number; read: number; readMegabytes: number };

/** As an agent sends them when a function says much. */
const batchLines = 2_000;

export async function logRound(
  api: RunningApi,
  db: OpenDatabase,
  { logs: { batches, lines } }: Plan,
  signal: AbortSignal,
): Promise<Logs> {
  const jobs = await startSleeping(api.http);
  const [id = '', long = ''] = jobs.ids;
  try {
    await db.pool.query(`
      drop table if exists bare_logs;
      create table bare_logs (job_id text collate "C", at timestamptz, stream text, level text, text text, primary key (job_id, at))`);
    const spent = { appended: 0, inserted: 0 };
    for (let batch = 0; batch < batches; batch++) {
      signal.throwIfAborted();
      const some = aBatch(batch);
      spent.appended += await timed(() => appendLogs(db, id, 1, some));
      spent.inserted += await timed(() => insertBare(db, id, some));
    }
    await db.pool.query(
      `insert into job_logs (tenant_id, job_id, at, attempt, stream, level, text)
       select $1, $2, now() + n * interval '1 microsecond', 1, 'stdout', 'info', 'line ' || n || repeat(' and some words', 5)
       from generate_series(1, $3::integer) as n`,
      [defaultTenantId, long, lines],
    );
    let bytes = 0;
    const readMs = await timed(async () => void (bytes = await readWhole(api, long)));
    return {
      appended: (batches * batchLines * 1_000) / spent.appended,
      inserted: (batches * batchLines * 1_000) / spent.inserted,
      read: (lines * 1_000) / readMs,
      readMegabytes: bytes / 1_000 / readMs,
    };
  } finally {
    await jobs.end();
  }
}

/** Each line is a little later than the one before. */
function aBatch(batch: number): NewLogLine[] {
  const millisecond = new Date().toISOString().slice(0, -1);
  return Array.from({ length: batchLines }, (_, line) => ({
    at: `${millisecond}${String(Math.floor(line / 2)).padStart(3, '0')}Z`,
    stream: 'stdout',
    level: 'info',
    text: `line ${batch}/${line} and some words that a program would say here`,
  }));
}

async function insertBare(db: OpenDatabase, id: string, lines: readonly NewLogLine[]): Promise<void> {
  const column = (field: keyof NewLogLine) => lines.map((line) => line[field]);
  await db.pool.query(
    `insert into bare_logs
     select $1, at + n * interval '1 microsecond', stream, level, text
     from unnest($2::timestamptz[], $3::text[], $4::text[], $5::text[]) with ordinality as line (at, stream, level, text, n)`,
    [id, column('at'), column('stream'), column('level'), column('text')],
  );
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Answers how many bytes it was. */
async function readWhole({ origin, key }: RunningApi, id: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}`, accept: 'application/x-ndjson' };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(new URL(`/v1/jobs/${id}/logs`, origin), { headers }, resolve).on('error', reject);
  });
  if (response.statusCode !== 200) throw new Error(`the log was answered ${response.statusCode}`);
  let bytes = 0;
  for await (const chunk of response) bytes += (chunk as Buffer).length;
  return bytes;
}
