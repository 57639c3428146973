import { Injectable } from '@nestjs/common';
import type { LogLine, LogPage } from '@perdure/job/schemas';
import { isTerminal } from '@perdure/job/status';
import { getLogs, type LogFilter, logsKeptSince } from '@perdure/store/read';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { Kept } from '../kept.ts';
import { Changes } from './changes.ts';
import { JobsService } from './jobs.service.ts';

/** Lines read at once for a stream. */
const batchLines = 1_000;
/** Text read at once, in bytes: of a page as of a stream. */
const batchBytes = 8 * 1024 ** 2;
/** A search looks at so much before it answers, be there something found or not. */
const searchedAtOnce = { lines: 100_000, bytes: 64 * 1024 ** 2 };
/** Should a notification be lost, a follower looks again after so long. */
const lookAgainMs = 15_000;
const keptMs = 60_000;

/** `from`: where to go on. `more`: there is, or may be, more to be had at once. */
type Batch = { lines: LogLine[]; from: string | undefined; more: boolean };

@Injectable()
export class LogsService {
  private readonly kept = new Kept<string>(keptMs);

  constructor(
    private readonly database: DatabaseService,
    private readonly jobs: JobsService,
    private readonly changes: Changes,
  ) {}

  /**
   * Throws 'not-found'. The moment from which on lines are kept, where the job is older than that.
   */
  async keptSince(caller: Principal, jobId: string): Promise<string | undefined> {
    const { createdAt } = await this.jobs.revision(caller, jobId);
    const since = await this.kept.get('', () => this.database.across((db) => logsKeptSince(db)));
    return createdAt < since ? since : undefined;
  }

  async page(caller: Principal, jobId: string, wanted: LogFilter, limit: number): Promise<LogPage> {
    const { lines, from, more } = await this.batch(caller, jobId, wanted, limit);
    return { items: lines, nextSince: from ?? null, more };
  }

  /** All lines so far, or the first of them. Nothing is read ahead of a slow client. */
  async *stream(
    caller: Principal,
    jobId: string,
    wanted: LogFilter,
    limit: number,
  ): AsyncGenerator<LogLine[]> {
    let { since } = wanted;
    for (let left = limit; left > 0;) {
      const batch = await this.batch(caller, jobId, { ...wanted, since }, Math.min(left, batchLines));
      if (batch.lines.length > 0) yield batch.lines;
      if (!batch.more) return;
      since = batch.from;
      left -= batch.lines.length;
    }
  }

  /** Every line, until the job has ended and its last line is sent, the client is gone, or the server closes. */
  async *follow(
    caller: Principal,
    jobId: string,
    wanted: LogFilter,
    gone: AbortSignal,
  ): AsyncGenerator<LogLine[]> {
    let { since } = wanted;
    const watch = this.changes.watch(jobId, gone);
    try {
      for (;;) {
        const heard = watch.count;
        // The state is read before the lines: when it is final, all lines are there.
        const job = await this.jobs.glance(caller, jobId);
        // Taken away from the caller meanwhile.
        if (job === undefined) return;
        const { lines, from, more } = await this.batch(caller, jobId, { ...wanted, since }, batchLines);
        if (lines.length > 0) yield lines;
        since = from;
        if (more) continue;
        if (isTerminal(job.status)) return;
        if ((await watch.after(heard, lookAgainMs)) === 'closing') return;
      }
    } finally {
      watch.close();
    }
  }

  private async batch(
    { tenantId }: Principal,
    jobId: string,
    wanted: LogFilter,
    limit: number,
  ): Promise<Batch> {
    const { since } = wanted;
    const part = { limit, bytes: batchBytes, searched: isSearch(wanted) ? searchedAtOnce : undefined };
    const { lines, until, full } = await this.database.call(tenantId, (db) =>
      getLogs(db, tenantId, jobId, { ...wanted, ...part }),
    );
    const last = lines.at(-1)?.at ?? since;
    if (full) return { lines, from: last, more: true };
    return { lines, from: until ?? last, more: until !== undefined };
  }
}

const isSearch = ({ since: _since, ...rest }: LogFilter): boolean =>
  Object.values(rest).some((one) => one !== undefined);
