import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { JobRequest, type Validated } from '@perdure/job/schemas';
import { getJobs, type JobRecord } from '@perdure/store/read';
import { type Created, findKeys, type Idempotency, keyReused, type NewJob } from '@perdure/store/submit';
import pLimit from 'p-limit';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { understand } from '../http/problem-filter.ts';
import { schemaError } from '../http/schema-pipe.ts';
import { idempotencyOf } from './idempotency-key.ts';
import { Intake } from './intake.ts';
import { Starts } from './starts.ts';
import { type Submitted, SubmitService, submittedAs } from './submit.service.ts';

/** What became of one request. */
export type Outcome = Submitted | { validated: Validated } | { error: PerdureError };

/** Requests that are checked, or stored one by one, at once. */
const atOnce = 8;
/** For so long jobs are stored one by one that cannot be stored together. */
const oneByOneMs = 5_000;

@Injectable()
export class BatchService {
  constructor(
    private readonly database: DatabaseService,
    private readonly submits: SubmitService,
    private readonly intake: Intake,
    private readonly starts: Starts,
  ) {}

  /**
   * Each request is answered as a submit of its own would be; those that pass the checks are stored in one transaction. Throws what
   * concerns them all, and then nothing is stored.
   */
  async submit(
    caller: Principal,
    requests: readonly unknown[],
    { key, validateOnly }: { key: string | undefined; validateOnly: boolean },
  ): Promise<Outcome[]> {
    const batch = idempotencyOf(caller, key, requests);
    const earlier = await this.earlier(caller.tenantId, batch, requests.length);
    const few = pLimit({ concurrency: atOnce, rejectOnClear: true });
    const checked = await few
      .map(requests, async (request, index) => {
        const job = earlier.get(index);
        if (job !== undefined) return { job, created: false };
        return this.check(caller, request, validateOnly);
      })
      .finally(() => few.clearQueue());
    const jobs = checked.flatMap((one, index) =>
      'prepared' in one ? [{ ...one.prepared, idempotency: batch && keyOf(batch, index) }] : [],
    );
    const outcomes = await this.create(caller, jobs, batch);
    this.starts.startAll(outcomes.flatMap((one) => ('job' in one && one.created ? [one.job] : [])));
    const created = outcomes.values();
    return checked.flatMap((one) => ('prepared' in one ? (created.next().value ?? []) : one));
  }

  /** What the same batch made before, by the place of the request. */
  private async earlier(
    tenantId: string,
    batch: Idempotency | undefined,
    count: number,
  ): Promise<Map<number, JobRecord>> {
    if (batch === undefined) return new Map();
    const keys = Array.from({ length: count }, (_, index) => keyOf(batch, index).key);
    const found = await this.database.call(tenantId, (db) =>
      findKeys(db, tenantId, batch.caller, [batch.key, ...keys]),
    );
    if (found.some(({ fingerprint }) => fingerprint !== batch.fingerprint)) throw keyReused();
    if (found.length === 0) return new Map();
    const ids = found.map(({ jobId }) => jobId);
    const jobs = new Map(
      (await this.database.call(tenantId, (db) => getJobs(db, tenantId, ids))).map((job) => [job.id, job]),
    );
    return new Map(
      found.flatMap(({ key, jobId }) => {
        const job = jobs.get(jobId);
        return job === undefined ? [] : [[keys.indexOf(key), job]];
      }),
    );
  }

  private async check(
    caller: Principal,
    asked: unknown,
    validateOnly: boolean,
  ): Promise<Outcome | { prepared: NewJob }> {
    const { data: request, error } = JobRequest.safeParse(asked);
    if (request === undefined) return { error: schemaError(error.issues) };
    try {
      if (validateOnly || request.validateOnly === true)
        return { validated: await this.submits.validate(caller, request) };
      return { prepared: await this.submits.prepare(caller, request) };
    } catch (failure) {
      return refusedAlone(failure);
    }
  }

  /** Together; or, where that fails because of one of them, one by one. */
  private async create(
    caller: Principal,
    jobs: readonly NewJob[],
    batch: Idempotency | undefined,
  ): Promise<Outcome[]> {
    if (jobs.length === 0) return [];
    const { tenantId } = caller;
    const settle = (created: Created | undefined, { id }: NewJob): Outcome => {
      try {
        return submittedAs(created, id);
      } catch (failure) {
        return refusedAlone(failure);
      }
    };
    try {
      const created = await this.intake.record(caller, { tenantId, jobs, batch });
      return jobs.map((job, index) => settle(created[index], job));
    } catch (failure) {
      const { code } = understand(failure);
      // Another request with the key of the batch, or the database itself.
      if (code === 'unavailable' || (batch && failure instanceof PerdureError)) throw failure;
    }
    const end = performance.now() + oneByOneMs;
    let over: PerdureError | undefined;
    const outcomes = await pLimit(atOnce).map(jobs, async (job): Promise<Outcome> => {
      if (performance.now() > end)
        over ??= new PerdureError('unavailable', 'Storing took too long: nothing was stored of this request');
      if (over !== undefined) return { error: over };
      try {
        const [created] = await this.intake.record(caller, { tenantId, jobs: [job], batch });
        return settle(created, job);
      } catch (failure) {
        const error = understand(failure);
        if (error.code === 'unavailable') over ??= error;
        return { error };
      }
    });
    if (over !== undefined && !outcomes.some((one) => 'job' in one)) throw over;
    return outcomes;
  }
}

/** Of the request at this place. No client can choose a key with a space. */
function keyOf({ key, ...batch }: Idempotency, index: number): Idempotency {
  return { ...batch, key: `${key} ${index}` };
}

/** A server that is away is no matter of one request. */
function refusedAlone(failure: unknown): { error: PerdureError } {
  const error = understand(failure);
  if (error.code === 'unavailable') throw failure;
  return { error };
}
