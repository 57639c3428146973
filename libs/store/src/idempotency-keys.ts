import { PerdureError } from '@perdure/job/errors';
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import { jsonText } from './json-text.ts';
import type { Schema } from './schema.ts';

export type Idempotency = {
  caller: string;
  key: string;
  /** Tells one body from another, such as its SHA-256. */
  fingerprint: string;
};

type Keyed = { id: string; tenantId: string; idempotency?: Idempotency | undefined };

/**
 * Inserts the keys of the jobs, and of the batch that they are; waits for transactions that are about the same ones. Answers with the
 * jobs that may be made: another request has the keys of the others.
 *
 * @throws PerdureError `idempotency-key-reused` when the batch with this key was another one
 */
export async function takeKeys<Job extends Keyed>(
  db: Kysely<Schema>,
  tenantId: string,
  jobs: readonly Job[],
  batch: Idempotency | undefined,
): Promise<{ free: readonly Job[]; tookBatch: boolean }> {
  const row = ({ caller, key, fingerprint }: Idempotency, jobId: string) => ({
    ...{ tenant_id: tenantId, caller, key, fingerprint },
    job_id: jobId,
  });
  const asked = [
    ...(batch === undefined ? [] : [row(batch, '')]),
    ...jobs.flatMap(({ id, idempotency }) => (idempotency === undefined ? [] : [row(idempotency, id)])),
  ];
  if (asked.length === 0) return { free: jobs, tookBatch: false };
  const { rows } = await sql<{ key: string }>`
    insert into idempotency_keys (tenant_id, caller, key, fingerprint, job_id)
    select tenant_id, caller, key, fingerprint, job_id
    from jsonb_populate_recordset(null::idempotency_keys, ${jsonText(asked)}::jsonb)
    on conflict do nothing
    returning key`.execute(db);
  const taken = new Set(rows.map(({ key }) => key));
  const tookBatch = batch !== undefined && taken.has(batch.key);
  if (batch !== undefined && !tookBatch) {
    const [kept] = await findKeys({ kysely: db }, tenantId, batch.caller, [batch.key]);
    if (kept !== undefined && kept.fingerprint !== batch.fingerprint) throw keyReused();
  }
  const free = jobs.filter(({ idempotency }) => idempotency === undefined || taken.has(idempotency.key));
  return { free, tookBatch };
}

/** Keys that made no job are free again. */
export async function giveKeysBack(
  db: Kysely<Schema>,
  tenantId: string,
  keys: readonly Idempotency[],
): Promise<void> {
  const [first] = keys;
  if (first === undefined) return;
  await db
    .deleteFrom('idempotencyKeys')
    .where('tenantId', '=', tenantId)
    .where('caller', '=', first.caller)
    .where('key', '=', sql<string>`any(${keys.map(({ key }) => key)}::text[])`)
    .execute();
}

/** Which of the caller's keys are in use, for what, and with which fingerprint of the request. The key of a batch stands for no job (''). */
export function findKeys(
  { kysely }: Pick<Database, 'kysely'>,
  tenantId: string,
  caller: string,
  keys: readonly string[],
): Promise<{ key: string; jobId: string; fingerprint: string }[]> {
  return kysely
    .selectFrom('idempotencyKeys')
    .select(['key', 'jobId', 'fingerprint'])
    .where('tenantId', '=', tenantId)
    .where('caller', '=', caller)
    .where('key', '=', sql<string>`any(${keys}::text[])`)
    .execute();
}

export function keyReused(): PerdureError {
  return new PerdureError(
    'idempotency-key-reused',
    'This Idempotency-Key was used with another body: use a new one',
    { details: [{ pointer: 'header/Idempotency-Key', detail: 'was used with another body' }] },
  );
}
