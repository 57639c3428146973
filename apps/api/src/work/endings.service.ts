import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { Outcome } from '@perdure/job/event';
import type { JsonObject } from '@perdure/job/json';
import type { CompleteRequest, FailRequest, GiveBackRequest, Job } from '@perdure/job/schemas';
import { maxInlineBytes } from '@perdure/job/start';
import { isHeld } from '@perdure/job/status';
import { type AgentRecord, type JobRecord, listDrafts } from '@perdure/store/read';
import { keepDraft } from '@perdure/store/report';
import { setTimeout as delay } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { v7 as uuidv7 } from 'uuid';
import { AuditLog } from '../audit/audit-log.ts';
import { DatabaseService } from '../database/database.service.ts';
import { StorageService } from '../files/storage.service.ts';
import { Catalogue } from '../functions/catalogue.ts';
import type { Principal } from '../http/caller.ts';
import { refusal } from '../http/refusal.ts';
import { fromRecord } from '../jobs/job-answer.ts';
import { JobsService } from '../jobs/jobs.service.ts';
import { Holds, isNotFound } from '../temporal/holds.ts';
import { Holders } from './holders.ts';

/** The activity that stands for the job begins a moment after the claim was answered. */
const beginsWithinMs = 5_000;
const againMs = 100;
/** What the workflow makes of it is recorded by then, if it runs. */
const echoMs = 1_000;
const outputFile = 'output.json';

/** How an attempt of an HTTP agent ends: completed, failed, or given back. */
@Injectable()
export class EndingsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly storage: StorageService,
    private readonly catalogue: Catalogue,
    private readonly jobs: JobsService,
    private readonly holders: Holders,
    private readonly holds: Holds,
    private readonly audit: AuditLog,
  ) {}

  async complete(caller: Principal, id: string, request: CompleteRequest): Promise<Job> {
    const agent = await this.holders.agent(caller);
    const { attempt } = request;
    const earlier = await this.holders.completed(agent, caller, id, attempt);
    if (earlier !== undefined) return this.jobs.answer(fromRecord(earlier));
    const job = await this.holders.job(agent, caller, id, attempt);
    if (job.stop !== null) throw new PerdureError('transition-refused', 'The job is to stop: give it back');
    const outcome = await this.outcomeOf(caller, job, request);
    return this.end(agent, caller, job, () => this.holds.complete(id, attempt, outcome));
  }

  async fail(caller: Principal, id: string, { attempt, code, detail }: FailRequest): Promise<Job> {
    const agent = await this.holders.agent(caller);
    const job = await this.holders.job(agent, caller, id, attempt);
    return this.end(agent, caller, job, () =>
      this.holds.fail(id, attempt, code ?? 'execution-failed', detail),
    );
  }

  /** To a job that is to stop this is the agent's acknowledgement; any other goes back to the queue. */
  async giveBack(caller: Principal, id: string, { attempt, reason }: GiveBackRequest): Promise<Job> {
    const agent = await this.holders.agent(caller);
    const job = await this.holders.job(agent, caller, id, attempt);
    const why = reason ?? 'the agent gave the job back';
    return this.end(agent, caller, job, () => this.holds.fail(id, attempt, 'given-back', why));
  }

  private async end(
    agent: AgentRecord,
    caller: Principal,
    job: JobRecord,
    act: () => Promise<void>,
  ): Promise<Job> {
    await this.audit.enter(caller, 'asked', { kind: 'job', id: job.id });
    const until = Date.now() + beginsWithinMs;
    for (;;) {
      try {
        await act();
        break;
      } catch (error) {
        if (!isNotFound(error)) throw error;
        // Either the activity has not begun, or the attempt is over: then this throws.
        await this.holders.job(agent, caller, job.id, job.attempt);
        if (Date.now() > until)
          throw new PerdureError('unavailable', 'The workflow of the job does not run', { cause: error });
        await delay(againMs);
      }
    }
    const enough = (now: JobRecord) => !isHeld(now.status) || now.attempt !== job.attempt;
    return this.jobs.answer(fromRecord(await this.jobs.echo(job, { ms: echoMs, enough })));
  }

  private async outcomeOf(
    { tenantId }: Principal,
    job: JobRecord,
    { output = null, result }: Omit<CompleteRequest, 'output'> & { output?: JsonObject | null },
  ): Promise<Outcome> {
    const known = await this.catalogue.find(tenantId, job.functionName, job.functionVersion ?? undefined);
    const wrong = output === null ? [] : (known?.checkOutput(output) ?? []);
    if (wrong.length > 0)
      throw new PerdureError('invalid-request', 'The output breaks the schema of the function', {
        details: wrong,
      });
    const large = output !== null && Buffer.byteLength(JSON.stringify(output)) > maxInlineBytes;
    if (large) await this.outputAsFile(job, output);
    const drafts = await this.database.call(tenantId, (db) => listDrafts(db, tenantId, job.id, job.attempt));
    const files = drafts.map(({ id: fileId, ...rest }) => ({ fileId, ...rest }));
    const wanted = result ?? (large ? outputFile : known?.record.result);
    const resultFile = files.find(({ name }) => name === wanted)?.name ?? null;
    if (result !== undefined && resultFile === null)
      throw refusal('invalid-request', '/result', `No file '${result}' was uploaded in this attempt`);
    return { output: large ? null : output, files, resultFile };
  }

  /** Histories stay small: a large output travels as a file. */
  private async outputAsFile({ tenantId, id, attempt }: JobRecord, output: JsonObject): Promise<void> {
    const stored = await this.storage.put(Readable.from([Buffer.from(JSON.stringify(output))]));
    const draft = { id: uuidv7(), name: outputFile, mediaType: 'application/json', ...stored };
    await this.database.call(tenantId, (db) => keepDraft(db, id, attempt, draft));
  }
}
