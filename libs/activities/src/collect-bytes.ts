import type { Storage } from '@perdure/storage';
import { bytesAreGone, letBytesGo } from '@perdure/store/admin';
import type { Database } from '@perdure/store/database';
import pLimit from 'p-limit';

/** Removed in one round, and so many at once. */
const perRound = 1_000;
const atOnce = 10;
/** A removal that was asked for so long ago, by a process that has died since, has happened by now, or never will. */
const againAfterMs = 3_600_000;

/**
 * Removes bytes that were announced `afterMs` ago and are named by no row. Returns how many are gone; a failure, after all had their turn,
 * is thrown.
 */
export async function collectBytes(db: Database, storage: Storage, afterMs: number): Promise<number> {
  const going = await letBytesGo(db, { afterMs, againAfterMs, limit: perRound });
  const few = pLimit(atOnce);
  const ends = await Promise.allSettled(
    going.map((bytes) =>
      few(async () => {
        await storage.remove(bytes.sha256);
        await bytesAreGone(db, bytes);
      }),
    ),
  );
  const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
  if (failures.length > 0) throw new AggregateError(failures, 'bytes in storage could not be removed');
  return going.length;
}
