import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { isTerminal } from '@perdure/job/status';
import { archiveJob, type ArchiveOrder } from '@perdure/store/admin';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { requireMatch } from '../http/conditional.ts';
import { etagOf, fromRecord, type Seen } from './job-answer.ts';
import { JobsService } from './jobs.service.ts';

/** The archive is a mark on the row of a job that has ended; its workflow, which may be long gone, knows nothing of it. */
@Injectable()
export class ArchiveService {
  constructor(
    private readonly database: DatabaseService,
    private readonly jobs: JobsService,
  ) {}

  /** Changes nothing where the job is already as it is wanted. */
  async move(
    caller: Principal,
    id: string,
    { kind, reason }: { kind: ArchiveOrder['kind']; reason?: string },
    ifMatch: string | undefined,
  ): Promise<Seen> {
    for (;;) {
      const record = await this.jobs.record(caller, id, 'editor');
      const seen = fromRecord(record);
      requireMatch(ifMatch, etagOf(seen));
      if ((record.archivedAt !== null) === (kind === 'archived')) return seen;
      if (!isTerminal(record.status)) {
        const detail = `A job that is ${record.status} cannot be archived: wait for its end, or cancel it first`;
        throw new PerdureError('transition-refused', detail);
      }
      const moved = await this.database.change(
        caller,
        (db) => archiveJob(db, record, { kind, actor: caller.id, reason: reason ?? null }),
        (job) => job && { kind: 'job', id },
      );
      if (moved) return fromRecord(moved);
      // Somebody else has changed it in between: look again.
    }
  }
}
