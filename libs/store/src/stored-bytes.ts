import { PerdureError } from '@perdure/job/errors';
import { sql } from 'kysely';
import type { Database } from './database.ts';

/**
 * To be called before bytes become visible in storage; answers what to call once they are there. Only then may a row name them. Without
 * such a row they are removed when their time is over.
 *
 * @throws PerdureError `unavailable` while the same bytes are being removed
 */
export async function announceBytes(db: Database, sha256: string): Promise<(db: Database) => Promise<void>> {
  const { rows } = await sql<{ life: number }>`
    insert into stored_bytes as known (sha256, state) values (${sha256}, 'coming')
    on conflict (sha256) do update set
      state = case known.state when 'kept' then 'kept' else 'coming' end,
      life = known.life + (known.state = 'gone')::integer,
      since = now()
    where known.state <> 'going'
    returning life`.execute(db.kysely);
  const [row] = rows;
  if (row === undefined)
    throw new PerdureError('unavailable', 'The same bytes are being removed at this moment: send them again');
  return async (there) => {
    // Who was away for so long that the bytes were given up meanwhile does not make them kept; but they are there, and are to go.
    await sql`
      update stored_bytes as known set
        state = case when state = 'coming' and life = ${row.life} then 'kept' when state = 'gone' then 'coming' else state end,
        life = known.life + (known.state = 'gone')::integer,
        since = clock_timestamp()
      where sha256 = ${sha256} and state <> 'kept'`.execute(there.kysely);
  };
}

export type GoingBytes = { sha256: string; since: string };

/**
 * Decides that bytes go which nobody has announced for `afterMs` and no row names: from here on no row can. Those that are named are looked
 * after by the rows alone, until one of them goes. What was to go `againAfterMs` ago, and is still there, is to go again. The caller removes them.
 */
export function letBytesGo(
  db: Database,
  { afterMs, againAfterMs, limit }: { afterMs: number; againAfterMs: number; limit: number },
): Promise<GoingBytes[]> {
  const ago = (ms: number) => sql`now() - ${ms} * interval '1 millisecond'`;
  return db.kysely.transaction().execute(async (transaction) => {
    const { rows } = await sql<{ sha256: string }>`
      select sha256 from stored_bytes
      where (state in ('coming', 'kept') and since <= ${ago(afterMs)}) or (state = 'going' and since <= ${ago(againAfterMs)})
      order by since limit ${limit} for update skip locked`.execute(transaction);
    const digests = sql`any(${rows.map(({ sha256 }) => sha256)}::text[])`;
    // A statement of its own: it sees what was committed before the locks were to be had.
    await sql`
      delete from stored_bytes as known where sha256 = ${digests} and state = 'kept' and (
        exists (select from files where files.sha256 = known.sha256)
        or exists (select from drafts where drafts.sha256 = known.sha256)
        or exists (select from jobs where jobs.parameters_sha256 = known.sha256)
      )`.execute(transaction);
    const going = await sql<GoingBytes>`
      update stored_bytes set state = 'going', since = clock_timestamp() where sha256 = ${digests}
      returning sha256, since`.execute(transaction);
    return going.rows;
  });
}

/** They are removed. Says nothing of what somebody else has been told to remove since. */
export async function bytesAreGone(db: Database, { sha256, since }: GoingBytes): Promise<void> {
  await sql`
    update stored_bytes set state = 'gone', since = now()
    where sha256 = ${sha256} and state = 'going' and since = ${since}::timestamptz`.execute(db.kysely);
}

/** Forgets bytes that went so many days ago: by then nobody is left who stored them before that. */
export async function forgetBytes(db: Database, days: number, limit: number): Promise<void> {
  await sql`
    delete from stored_bytes where sha256 in (
      select sha256 from stored_bytes where state = 'gone' and since < now() - ${days}::integer * interval '1 day' order by since limit ${limit}
    ) and state = 'gone'`.execute(db.kysely);
}
