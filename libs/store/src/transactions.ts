import type { Kysely, Transaction } from 'kysely';
import type { Schema } from './schema.ts';

/** Does all of it or nothing: as a part of the transaction that is open, or in one of its own. */
export function inTransaction<T>(
  { kysely }: { kysely: Kysely<Schema> },
  work: (transaction: Transaction<Schema>) => Promise<T>,
): Promise<T> {
  return isOpen(kysely) ? work(kysely) : kysely.transaction().execute(work);
}

function isOpen(kysely: Kysely<Schema>): kysely is Transaction<Schema> {
  return kysely.isTransaction;
}
