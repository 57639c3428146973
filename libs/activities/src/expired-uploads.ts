import type { Storage } from '@perdure/storage';
import type { Database } from '@perdure/store/database';
import { deleteUpload, expiredUploads } from '@perdure/store/submit';

/** Looked at in one round; one of ten gigabytes has more than a thousand parts. */
const perRound = 100;

/**
 * Takes the parts of uploads away whose time is over, finished or not, and forgets them; the files that they became
 * stay. The row goes last: what could not be removed comes round again. Returns how many are gone; a failure, after
 * all had their turn, is thrown.
 */
export async function removeExpiredUploads(db: Database, storage: Storage): Promise<number> {
  const failures: unknown[] = [];
  const expired = await expiredUploads(db, perRound);
  for (const upload of expired) {
    try {
      await storage.removeParts(upload.id);
      await deleteUpload(db, upload);
    } catch (failure) {
      failures.push(failure);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'parts of uploads could not be removed');
  return expired.length;
}
