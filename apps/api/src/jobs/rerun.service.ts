import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { isJsonObject, type JsonObject } from '@perdure/job/json';
import type { JobRequest, RerunRequest } from '@perdure/job/schemas';
import { isTerminal } from '@perdure/job/status';
import { getEvents, type JobRecord } from '@perdure/store/read';
import { json } from 'node:stream/consumers';
import { DatabaseService } from '../database/database.service.ts';
import { StorageService } from '../files/storage.service.ts';
import type { Principal } from '../http/caller.ts';
import { requireMatch } from '../http/conditional.ts';
import { idempotencyOf } from './idempotency-key.ts';
import { recordedTag } from './job-answer.ts';
import { JobsService } from './jobs.service.ts';
import { type Submitted, SubmitService } from './submit.service.ts';

/** Runs jobs again: as new jobs, which are admitted as all others are. */
@Injectable()
export class RerunService {
  constructor(
    private readonly jobs: JobsService,
    private readonly submits: SubmitService,
    private readonly database: DatabaseService,
    private readonly storage: StorageService,
  ) {}

  async rerun(
    caller: Principal,
    id: string,
    { from }: RerunRequest,
    { key, ifMatch }: { key: string | undefined; ifMatch: string | undefined },
  ): Promise<Submitted> {
    const idempotency = idempotencyOf(caller, key, { rerun: id, from });
    const repeated = idempotency && (await this.submits.earlier(caller, idempotency));
    if (repeated) return { job: repeated, created: false };
    const original = await this.jobs.record(caller, id, 'editor');
    const { revision, status } = original;
    requireMatch(ifMatch, recordedTag(revision));
    if (!isTerminal(status))
      throw refused(`A job that is ${status} cannot be run again: wait for its end, or cancel it first`);
    const validated = await this.goesWithoutCheck(caller, id, from);
    const job = await this.submits.prepare(caller, await this.requestOf(original));
    const start = { ...job.start, rerunOf: id, ...(validated ? { validated } : {}) };
    // Only who names a revision minds that somebody else was quicker.
    return this.submits.accept(caller, { ...job, start }, idempotency, {
      jobId: id,
      revision: ifMatch === undefined || ifMatch.trim() === '*' ? undefined : revision,
    });
  }

  /** What a stage brought forth is recorded of one stage only: that the check was passed. It was about the same parameters, files and version. */
  private async goesWithoutCheck(
    { tenantId }: Principal,
    id: string,
    from: RerunRequest['from'],
  ): Promise<boolean> {
    if (from === 'upload')
      throw refused('What a function produced is not kept until it is stored: rerun the job from execute');
    if (from !== 'execute') return false;
    const events = await this.database.call(tenantId, (db) => getEvents(db, tenantId, id));
    if (events.some(({ type }) => type === 'validated')) return true;
    throw refused('The job was never found valid: rerun it from validate');
  }

  /** The same once more, of the version that ran. */
  private async requestOf(original: JobRecord): Promise<JobRequest> {
    const { start } = original;
    return {
      function: original.functionName,
      version: original.functionVersion ?? start.version,
      parameters: await this.parametersOf(original),
      name: start.name,
      labels: start.labels,
      pool: start.pool,
      assignedAgentId: start.assignedAgentId,
      tool: start.tool,
      operatingSystem: start.operatingSystem,
      priority: start.priority,
      limits: start.limits,
      maxAgentLosses: start.maxAgentLosses,
    };
  }

  /** Of a job that a service started itself the record has large parameters as a reference alone. */
  private async parametersOf({ parameters, parametersSha256 }: JobRecord): Promise<JsonObject> {
    if (parametersSha256 === null || Object.keys(parameters).length > 0) return parameters;
    const read = async (): Promise<unknown> => json(await this.storage.read(parametersSha256));
    const stored = await read().catch((error: unknown) => {
      if (!(error instanceof PerdureError) || error.code !== 'not-found') throw error;
      throw new PerdureError(
        'unknown-file',
        'The parameters of the job are no longer stored: submit it anew',
        {
          cause: error,
        },
      );
    });
    return isJsonObject(stored) ? stored : parameters;
  }
}

function refused(why: string): PerdureError {
  return new PerdureError('transition-refused', why);
}
