import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { filesIn } from '@perdure/job/files-in';
import { canServe } from '@perdure/job/queues';
import type { Assignment, ClaimRequest } from '@perdure/job/schemas';
import { isHeld } from '@perdure/job/status';
import {
  type AgentRecord,
  type ClaimKey,
  findClaim,
  getFile,
  getJob,
  type JobRecord,
  pendingFor,
} from '@perdure/store/read';
import { beat, dropClaim, grantClaim, openClaim } from '@perdure/store/report';
import { randomUUID } from 'node:crypto';
import { demandOf, offerOf } from '../agents/offers.ts';
import { DatabaseService } from '../database/database.service.ts';
import { Catalogue } from '../functions/catalogue.ts';
import type { Principal } from '../http/caller.ts';
import { Holds } from '../temporal/holds.ts';
import { Dispatcher } from './dispatcher.ts';
import { Holders, toHolding } from './holders.ts';

/** So many jobs are tried before the agent waits for another: others may be taking them at this moment. */
const candidates = 20;
/** Should a notification be lost, a waiting agent looks again after so long. */
const lookAgainMs = 5_000;
/** And after so long where it got none of the jobs that it saw, as others were just taking them. Twice as long each time. */
const firstPauseMs = 100;

/** What became of a bid: the agent has the job, has it not, or Temporal did not say. */
type BidOutcome = 'won' | 'lost' | 'unknown';

/** Gives jobs to HTTP agents: of all who want one, the workflow of the job lets one have it. */
@Injectable()
export class ClaimsService {
  /** Jobs that an agent of this replica bids for at this moment: others need not try, or wait for their turn. */
  private readonly bidden = new Map<string, Promise<BidOutcome>>();

  constructor(
    private readonly database: DatabaseService,
    private readonly catalogue: Catalogue,
    private readonly holders: Holders,
    private readonly holds: Holds,
    private readonly dispatcher: Dispatcher,
  ) {}

  /** Undefined when no job came in time. */
  async claim(
    caller: Principal,
    pathId: string,
    request: ClaimRequest,
    gone: AbortSignal,
  ): Promise<Assignment | undefined> {
    const agent = await this.holders.agent(caller, pathId);
    const claimId = request.claimId ?? randomUUID();
    const repeated = await this.repeated(caller, agent, claimId);
    if (repeated !== undefined) return repeated;
    if (request.jobId !== undefined) return this.claimThis(caller, agent, claimId, request.jobId);
    const end = Date.now() + (request.waitSeconds ?? 0) * 1_000;
    let contendedMs = firstPauseMs;
    for (;;) {
      const now = await this.holders.agent(caller, pathId);
      await this.database.call(caller.tenantId, (db) =>
        beat(db, now.id, { status: now.status, busy: now.busy }),
      );
      const seen = now.drainRequestedAt === null ? await this.look(caller, now, claimId) : undefined;
      const assignment = seen === 'contended' ? undefined : seen;
      const left = end - Date.now();
      if (assignment !== undefined || left <= 0 || gone.aborted || this.dispatcher.closing) return assignment;
      const take = (job: JobRecord) => this.bid(caller, now, claimId, job.id);
      const offer = now.drainRequestedAt === null ? offerOf(now) : undefined;
      const waiter = { tenantId: caller.tenantId, offer, take };
      const pauseMs = seen === 'contended' ? contendedMs : lookAgainMs;
      contendedMs = Math.min(2 * contendedMs, lookAgainMs);
      const taken = await this.dispatcher.wait(waiter, Math.min(left, pauseMs), gone);
      if (taken !== undefined) return taken;
    }
  }

  /** The job of the same claim before: its answer was lost, or is still being made. */
  private async repeated(
    caller: Principal,
    agent: AgentRecord,
    claimId: string,
  ): Promise<Assignment | undefined> {
    const earlier = await this.database.call(caller.tenantId, (db) =>
      findClaim(db, keyOf(caller, agent, claimId)),
    );
    if (earlier === undefined) return undefined;
    if (earlier.attempt === null) return this.bid(caller, agent, claimId, earlier.jobId);
    const job = await this.database.call(caller.tenantId, (db) => getJob(db, caller.tenantId, earlier.jobId));
    const holds =
      job !== undefined && job.agentId === agent.id && job.attempt === earlier.attempt && isHeld(job.status);
    return holds ? this.assignment(agent, job) : undefined;
  }

  /** Tries the jobs that wait; `contended` where there were some, and all of them went to others. */
  private async look(
    caller: Principal,
    agent: AgentRecord,
    claimId: string,
  ): Promise<Assignment | 'contended' | undefined> {
    const offer = offerOf(agent);
    const waiting = await this.database.call(caller.tenantId, (db) =>
      pendingFor(db, caller.tenantId, offer, candidates),
    );
    for (const id of waiting) {
      if (this.bidden.has(id)) continue;
      const assignment = await this.bid(caller, agent, claimId, id);
      if (assignment !== undefined) return assignment;
    }
    return waiting.length > 0 ? 'contended' : undefined;
  }

  private async claimThis(
    caller: Principal,
    agent: AgentRecord,
    claimId: string,
    jobId: string,
  ): Promise<Assignment> {
    const job = await this.database.call(caller.tenantId, (db) => getJob(db, caller.tenantId, jobId));
    if (job === undefined) throw new PerdureError('not-found', 'There is no such job');
    if (!canServe(offerOf(agent), demandOf(job)))
      throw new PerdureError('incapable-agent', `Agent '${agent.id}' does not offer what the job needs`);
    if (agent.drainRequestedAt !== null || agent.busy >= agent.slots)
      throw new PerdureError('agent-not-ready', `Agent '${agent.id}' drains, or all its slots are taken`);
    const taken = `The job is ${job.status}, or another agent has taken it`;
    // Many may name one job at once, and its workflow takes ten questions at a time: of this replica it gets one after the other, until one has won.
    for (let other = this.bidden.get(jobId); other !== undefined; other = this.bidden.get(jobId)) {
      const outcome = await other;
      if (outcome === 'won') throw new PerdureError('transition-refused', taken);
      if (outcome === 'unknown') throw new PerdureError('unavailable', 'Temporal does not answer');
    }
    const assignment = await this.bid(caller, agent, claimId, jobId);
    if (assignment !== undefined) return assignment;
    throw new PerdureError('transition-refused', taken);
  }

  /** Undefined when the agent is full, or somebody else has the job. */
  private async bid(
    caller: Principal,
    agent: AgentRecord,
    claimId: string,
    jobId: string,
  ): Promise<Assignment | undefined> {
    const key = keyOf(caller, agent, claimId);
    const { promise, resolve } = Promise.withResolvers<BidOutcome>();
    this.bidden.set(jobId, promise);
    try {
      if (!(await this.database.call(key.tenantId, (db) => openClaim(db, key, jobId)))) return undefined;
      const bid = { agentId: agent.id, leaseMs: agent.leaseSeconds * 1_000 };
      const { attempt } = await this.holds.claim(jobId, bid, claimId);
      resolve('won');
      // A bid that is lost changes nothing; who has the job the workflow has kept in its history.
      await this.database.change(
        caller,
        (db) => grantClaim(db, key, attempt),
        () => ({ kind: 'job', id: jobId }),
      );
      const job = await this.database.call(key.tenantId, (db) => getJob(db, key.tenantId, jobId));
      return job && (await this.assignment(agent, job));
    } catch (error) {
      // An update that was not answered may still be granted: the note stays, and a repeat of the claim finds it.
      if (!(error instanceof PerdureError) || error.code === 'unavailable') {
        resolve('unknown');
        throw error;
      }
      await this.database.call(key.tenantId, (db) => dropClaim(db, key));
      return undefined;
    } finally {
      // After one of the others it changes nothing.
      resolve('lost');
      if (this.bidden.get(jobId) === promise) this.bidden.delete(jobId);
    }
  }

  private async assignment(agent: AgentRecord, job: JobRecord): Promise<Assignment> {
    const { id, tenantId, functionName: name, functionVersion, parameters, limits } = job;
    const version = functionVersion ?? '';
    const known = await this.catalogue.find(tenantId, name, version);
    const named = filesIn(known?.record.inputSchema, parameters).map(async ({ pointer, fileId }) => {
      const file = await this.database.call(tenantId, (db) => getFile(db, tenantId, fileId));
      if (file === undefined) return [];
      const { mediaType, size, sha256 } = file;
      const links = { content: `/v1/files/${fileId}/content` };
      return [{ id: fileId, pointer, name: file.name, mediaType, size, sha256, links }];
    });
    const self = `/v1/jobs/${id}`;
    return {
      ...toHolding(job, agent),
      function: { name, version },
      parameters,
      files: (await Promise.all(named)).flat(),
      runSeconds: limits.runSeconds ?? null,
      links: {
        reports: `${self}/reports`,
        files: `${self}/files`,
        complete: `${self}:complete`,
        fail: `${self}:fail`,
        giveBack: `${self}:giveBack`,
      },
    };
  }
}

function keyOf({ tenantId }: Principal, { id: agentId }: AgentRecord, claimId: string): ClaimKey {
  return { tenantId, agentId, claimId };
}
