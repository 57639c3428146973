import {
  dropAudit,
  dropIdempotencyKeys,
  forgetBytes,
  forgetPurged,
  purgeEnded,
  type RetentionDays,
} from '@perdure/store/admin';
import type { Database } from '@perdure/store/database';
import { log } from '@temporalio/activity';

/** Jobs purged at once, and so often in one round. */
const atOnce = 200;
const perRound = 10;
/** What is known of a purged job, or of bytes that went, is forgotten after so long; an idempotency key, which is promised for 24 hours, too. */
const knownDays = 400;
const idempotencyHours = 48;
const forgottenPerRound = 2_000;

/** Lets go what its class keeps no longer, a bounded part of it in each round. */
export async function purge({
  db,
  retentionDays,
  auditRetentionDays,
}: {
  db: Database;
  retentionDays: RetentionDays;
  auditRetentionDays: number;
}): Promise<void> {
  let purged = 0;
  try {
    for (let slice = 0; slice < perRound; slice++) {
      const count = await purgeEnded(db, retentionDays, atOnce);
      purged += count;
      if (count < atOnce) break;
    }
    await forgetPurged(db, knownDays, forgottenPerRound);
    await forgetBytes(db, knownDays, forgottenPerRound);
    await dropAudit(db, auditRetentionDays, forgottenPerRound);
    await dropIdempotencyKeys(db, idempotencyHours, forgottenPerRound);
  } catch (failure) {
    log.warn('the housekeeping failed for jobs that are no longer kept', { failure: String(failure) });
  }
  if (purged > 0) log.info('ended jobs were purged', { purged });
}
