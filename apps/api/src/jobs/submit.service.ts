import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { JsonObject } from '@perdure/job/json';
import type { JobRequest, Validated } from '@perdure/job/schemas';
import { type JobStart, maxInlineBytes } from '@perdure/job/start';
import { findIdempotent, getJob, type JobRecord } from '@perdure/store/read';
import { createJob, type Idempotency, markStarted } from '@perdure/store/submit';
import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { PinoLogger } from 'nestjs-pino';
import { Readable } from 'node:stream';
import { v7 as uuidv7 } from 'uuid';
import { DatabaseService } from '../database/database.service.ts';
import { StorageService } from '../files/storage.service.ts';
import { withDeadline } from '../deadline.ts';
import type { Principal } from '../http/caller.ts';
import { reasonOf } from '../http/reason.ts';
import { TemporalService } from '../temporal/temporal.service.ts';
import { Admission } from './admission.ts';
import { fingerprintOf } from './idempotency-key.ts';

/** How long a submit waits for Temporal, and how long it goes on trying. The job is safe before: housekeeping starts the rest. */
const patienceMs = 1_500;
const startBudgetMs = 10_000;
const maxUnderWay = 1_000;

export type Submitted = { job: JobRecord; created: boolean };

@Injectable()
export class SubmitService {
  /** While Temporal is away or slow, submits are not made to wait for it one by one. */
  private readonly patience = circuitBreaker(handleAll, {
    halfOpenAfter: 2_000,
    breaker: new ConsecutiveBreaker(3),
  });
  private underWay = 0;

  constructor(
    private readonly database: DatabaseService,
    private readonly storage: StorageService,
    private readonly temporal: TemporalService,
    private readonly admission: Admission,
    private readonly logger: PinoLogger,
  ) {}

  async validate(caller: Principal, request: JobRequest): Promise<Validated> {
    const start = await this.admission.admit(caller, request);
    return { valid: true, function: { name: start.function, version: start.version ?? '' } };
  }

  /** Once this returns, the job will reach a terminal state, whatever dies. */
  async submit(caller: Principal, request: JobRequest, key: string | undefined): Promise<Submitted> {
    const idempotency =
      key === undefined ? undefined : { caller: caller.keyId, key, fingerprint: fingerprintOf(request) };
    const repeated = idempotency && (await this.earlier(caller, idempotency));
    if (repeated) return { job: repeated, created: false };
    const admitted = await this.admission.admit(caller, request);
    const parameters = admitted.parameters;
    const start = await this.withoutLargeParameters(admitted, parameters);
    const { tenantId, name: owner } = caller;
    const id = request.id ?? uuidv7();
    const result = await this.database.call((db) =>
      createJob(db, { id, tenantId, owner, start, parameters }, idempotency),
    );
    if (result.created) {
      await this.start(result.job);
      return { job: result.job, created: true };
    }
    if (result.reason === 'repeat' && result.job) return { job: result.job, created: false };
    if (result.reason === 'key-reused') throw keyReused();
    throw new PerdureError('id-taken', `The id ${id} is in use: choose another one, or none`, {
      details: [{ pointer: '/id', detail: 'is in use' }],
    });
  }

  /** The job that the same request made before: whatever has become of the function or the files since. */
  private async earlier(
    { tenantId }: Principal,
    { caller, key, fingerprint }: Idempotency,
  ): Promise<JobRecord | undefined> {
    const first = await this.database.call((db) => findIdempotent(db, tenantId, caller, key));
    if (first === undefined) return undefined;
    if (first.fingerprint !== fingerprint) throw keyReused();
    return this.database.call((db) => getJob(db, tenantId, first.jobId));
  }

  /** Histories stay small: large parameters travel through storage. */
  private async withoutLargeParameters(start: JobStart, parameters: JsonObject): Promise<JobStart> {
    const json = Buffer.from(JSON.stringify(parameters));
    if (json.length <= maxInlineBytes) return start;
    const { sha256 } = await this.storage.put(Readable.from([json]));
    return { ...start, parameters: {}, parametersSha256: sha256 };
  }

  /** Starts the workflow. Waits for that as long as it is of use; the start itself goes on. */
  private async start({ id, start }: JobRecord): Promise<void> {
    if (this.underWay >= maxUnderWay) return;
    this.underWay++;
    const started = this.temporal
      .start(id, start, startBudgetMs)
      .then(() => this.noteStart(id))
      .catch((error: unknown) => {
        this.logger.warn({ jobId: id, reason: reasonOf(error) }, 'not started yet; housekeeping will do it');
      })
      .finally(() => this.underWay--);
    const late = (): Error => new Error('Temporal takes its time');
    await this.patience.execute(() => withDeadline(started, patienceMs, late)).catch(() => {});
  }

  /** Worth no waiting: it only spares the housekeeping a second start, which would do nothing. */
  private noteStart(id: string): void {
    this.database.call((db) => markStarted(db, id)).catch(() => {});
  }
}

function keyReused(): PerdureError {
  return new PerdureError(
    'idempotency-key-reused',
    'This Idempotency-Key was used with another body: use a new one',
    {
      details: [{ pointer: 'header/Idempotency-Key', detail: 'was used with another body' }],
    },
  );
}
