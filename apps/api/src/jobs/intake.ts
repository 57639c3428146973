import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { getJob } from '@perdure/store/read';
import { type Created, createJobs, type Creation } from '@perdure/store/submit';
import type { Target } from '../audit/act.ts';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { understand } from '../http/problem-filter.ts';

/** How long it may take to see what became of a commit that was not answered. */
const lookMs = 1_000;

/** Writes jobs to the record, all of them together, and is honest where it cannot tell whether that was done. */
@Injectable()
export class Intake {
  constructor(private readonly database: DatabaseService) {}

  /** Throws 'unavailable' when nothing was stored and nothing will be; or when that cannot be told, and then says so. */
  async record(caller: Principal, creation: Creation): Promise<readonly Created[]> {
    let answers: readonly Created[] | undefined;
    try {
      return await this.database.change(
        caller,
        (db) => createJobs(db, creation),
        (made) => changedBy(made, creation),
        (given) => (answers = given),
      );
    } catch (failure) {
      if (answers === undefined || understand(failure).code !== 'unavailable') throw failure;
      return this.whatBecameOf(creation.tenantId, answers, failure);
    }
  }

  /** The commit was sent and not answered. It is of all or of none, so that one of the jobs tells. */
  private async whatBecameOf(
    tenantId: string,
    answers: readonly Created[],
    cause: unknown,
  ): Promise<readonly Created[]> {
    const id = answers.find(({ created }) => created)?.job?.id;
    if (id === undefined) return answers;
    const found = await this.database
      .call(tenantId, (db) => getJob(db, tenantId, id), lookMs)
      .catch(() => undefined);
    if (found !== undefined) return answers;
    throw new PerdureError(
      'unavailable',
      `The database was lost in the moment of storing. Whether it did shows GET /v1/jobs/${id}; a repeat with the same Idempotency-Key makes no second job`,
      { cause },
    );
  }
}

/** The new jobs, and the one that they run again. */
function changedBy(made: readonly Created[], { original }: Creation): Target[] {
  const ids = made.flatMap(({ created, job }) => (created && job ? [job.id] : []));
  if (ids.length > 0 && original !== undefined) ids.push(original.jobId);
  return ids.map((id) => ({ kind: 'job', id }));
}
