import { Injectable } from '@nestjs/common';
import { isTerminal } from '@perdure/job/status';
import { getEventsBetween, getJob } from '@perdure/store/read';
import { noSuch, Visibility } from '../access/visibility.ts';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { Changes } from '../jobs/changes.ts';
import { JobsService } from '../jobs/jobs.service.ts';
import { Settings } from '../settings.ts';
import { Shared } from '../shared.ts';
import { badId, beginning, historyMessage, jobMessage, keepAlive, revisionIn } from './messages.ts';

const atOnce = 200;

/** Whose the job is, messages, the revision that they lead to, and whether there are more: at once, later, or never. */
type Step = { owner: string; text: string; revision: number; next: 'more' | 'wait' | 'over' };

/** What happens to one job. The id of a message is the revision of the job, so that a client that has it misses nothing after it. */
@Injectable()
export class JobEventsService {
  private readonly steps = new Shared<Step>();

  constructor(
    private readonly database: DatabaseService,
    private readonly jobs: JobsService,
    private readonly changes: Changes,
    private readonly settings: Settings,
    private readonly visibility: Visibility,
  ) {}

  /**
   * The revision to go on from. Undefined: the job has ended, and the client knows it all.
   *
   * @throws PerdureError `not-found`; `invalid-request` for an id that this job cannot have had
   */
  async resume(
    caller: Principal,
    jobId: string,
    lastEventId: string | undefined,
  ): Promise<number | undefined> {
    const { revision, status } = await this.jobs.revision(caller, jobId);
    const after = lastEventId === undefined ? 0 : revisionIn(lastEventId);
    if (after > revision) throw badId();
    return after === revision && isTerminal(status) ? undefined : after;
  }

  /** Everything after a revision, until the job has ended. Nothing is read ahead of a slow client. */
  async *follow(caller: Principal, jobId: string, after: number, gone: AbortSignal): AsyncGenerator<string> {
    let revision = after;
    const watch = this.changes.watch(jobId, gone);
    try {
      yield beginning(undefined);
      for (;;) {
        const key = `${caller.tenantId} ${jobId} ${revision}`;
        const step = await this.steps.get(key, () => this.step(caller.tenantId, jobId, revision));
        // Those who follow a job share its steps; from one of them it may be taken away.
        const { owner } = step;
        if ((await this.visibility.job(caller, { id: jobId, owner })) === undefined) return;
        if (step.text !== '') yield step.text;
        revision = step.revision;
        if (step.next === 'over') return;
        if (step.next === 'more') continue;
        const heard = await watch.beyond(revision, this.settings.config.streams.keepAliveMs);
        if (heard === 'closing') return;
        if (heard === 'time') yield keepAlive;
      }
    } finally {
      watch.close();
    }
  }

  /** The job is read before its events: all that led to its revision are there. */
  private async step(tenantId: string, jobId: string, after: number): Promise<Step> {
    const record = await this.database.call(tenantId, (db) => getJob(db, tenantId, jobId));
    if (record === undefined) throw noSuch('job');
    const { revision, owner } = record;
    const range = { after, upTo: revision, limit: atOnce };
    const events = await this.database.call(tenantId, (db) => getEventsBetween(db, tenantId, jobId, range));
    const messages = events.map((event) => historyMessage(String(event.revision), event));
    const last = events.at(-1)?.revision ?? after;
    if (events.length === atOnce) return { owner, text: messages.join(''), revision: last, next: 'more' };
    if (revision > last) messages.push(jobMessage(await this.jobs.summary(record)));
    return { owner, text: messages.join(''), revision, next: isTerminal(record.status) ? 'over' : 'wait' };
  }
}
