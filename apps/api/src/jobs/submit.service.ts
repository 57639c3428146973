import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { JsonObject } from '@perdure/job/json';
import type { JobRequest, Validated } from '@perdure/job/schemas';
import { type JobStart, maxInlineBytes } from '@perdure/job/start';
import { findIdempotent, getJob, type JobRecord } from '@perdure/store/read';
import { type Created, type Creation, type Idempotency, keyReused, type NewJob } from '@perdure/store/submit';
import { Readable } from 'node:stream';
import { v7 as uuidv7 } from 'uuid';
import { DatabaseService } from '../database/database.service.ts';
import { StorageService } from '../files/storage.service.ts';
import type { Principal } from '../http/caller.ts';
import { Admission } from './admission.ts';
import { idempotencyOf } from './idempotency-key.ts';
import { Intake } from './intake.ts';
import { Starts } from './starts.ts';

export type Submitted = { job: JobRecord; created: boolean };

@Injectable()
export class SubmitService {
  constructor(
    private readonly database: DatabaseService,
    private readonly storage: StorageService,
    private readonly admission: Admission,
    private readonly intake: Intake,
    private readonly starts: Starts,
  ) {}

  async validate(caller: Principal, request: JobRequest): Promise<Validated> {
    const start = await this.admission.admit(caller, request);
    return { valid: true, function: { name: start.function, version: start.version ?? '' } };
  }

  async submit(caller: Principal, request: JobRequest, key: string | undefined): Promise<Submitted> {
    const idempotency = idempotencyOf(caller, key, request);
    const repeated = idempotency && (await this.earlier(caller, idempotency));
    if (repeated) return { job: repeated, created: false };
    return this.accept(caller, await this.prepare(caller, request), idempotency);
  }

  /** Checks all that is cheap to check, and stores what is too large to travel. Throws what the caller can put right. */
  async prepare(caller: Principal, request: JobRequest): Promise<NewJob> {
    const admitted = await this.admission.admit(caller, request);
    const { parameters } = admitted;
    const start = await this.withoutLargeParameters(admitted, parameters);
    const { tenantId, id: owner } = caller;
    return { id: request.id ?? uuidv7(), tenantId, owner, start, parameters };
  }

  /** Once this returns, the job will reach a terminal state, whatever dies. */
  async accept(
    caller: Principal,
    job: NewJob,
    idempotency: Idempotency | undefined,
    original?: Creation['original'],
  ): Promise<Submitted> {
    const jobs = [{ ...job, idempotency }];
    const [result] = await this.intake.record(caller, { tenantId: job.tenantId, jobs, original });
    const submitted = submittedAs(result, job.id);
    if (submitted.created) await this.starts.start(submitted.job);
    return submitted;
  }

  /** The job that the same request made before: whatever has become of the function or the files since. */
  async earlier(
    { tenantId }: Principal,
    { caller, key, fingerprint }: Idempotency,
  ): Promise<JobRecord | undefined> {
    const first = await this.database.call(tenantId, (db) => findIdempotent(db, tenantId, caller, key));
    if (first === undefined) return undefined;
    if (first.fingerprint !== fingerprint) throw keyReused();
    return this.database.call(tenantId, (db) => getJob(db, tenantId, first.jobId));
  }

  /** Histories stay small: large parameters travel through storage. */
  private async withoutLargeParameters(start: JobStart, parameters: JsonObject): Promise<JobStart> {
    const json = Buffer.from(JSON.stringify(parameters));
    if (json.length <= maxInlineBytes) return start;
    const { sha256 } = await this.storage.put(Readable.from([json]));
    return { ...start, parameters: {}, parametersSha256: sha256 };
  }
}

/** Throws where no job was made, and none had been. */
export function submittedAs(result: Created | undefined, id: string): Submitted {
  if (result?.job && (result.created || result.reason === 'repeat'))
    return { job: result.job, created: result.created };
  if (result?.created === false && result.reason === 'key-reused') throw keyReused();
  throw new PerdureError('id-taken', `The id ${id} is in use: choose another one, or none`, {
    details: [{ pointer: '/id', detail: 'is in use' }],
  });
}
