import { Injectable } from '@nestjs/common';
import type { LogLine, LogPage } from '@perdure/job/schemas';
import { isTerminal } from '@perdure/job/status';
import { getLogs } from '@perdure/store/read';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { Changes } from './changes.ts';
import { JobsService } from './jobs.service.ts';

const defaultLimit = 1_000;
const followBatch = 500;
/** Should a notification be lost, a follower looks again after so long. */
const lookAgainMs = 15_000;

@Injectable()
export class LogsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly jobs: JobsService,
    private readonly changes: Changes,
  ) {}

  async page(
    caller: Principal,
    jobId: string,
    since: string | undefined,
    limit = defaultLimit,
  ): Promise<LogPage> {
    await this.jobs.revision(caller, jobId);
    const items = await this.lines(caller, jobId, since, limit);
    return { items, nextSince: items.at(-1)?.at ?? since ?? null };
  }

  /**
   * Every line from `since` on as ndjson, until the job has ended and its last line is sent, the client is gone, or the
   * server closes. Nothing is read ahead of a slow client.
   */
  async *follow(
    caller: Principal,
    jobId: string,
    since: string | undefined,
    gone: AbortSignal,
  ): AsyncGenerator<string> {
    let from = since;
    const watch = this.changes.watch(jobId, gone);
    try {
      for (;;) {
        const heard = watch.count;
        // The state is read before the lines: when it is final, all lines are there.
        const { status } = await this.jobs.revision(caller, jobId);
        const lines = await this.lines(caller, jobId, from, followBatch);
        if (lines.length > 0) yield toNdjson(lines);
        from = lines.at(-1)?.at ?? from;
        if (lines.length === followBatch) continue;
        if (isTerminal(status)) return;
        if ((await watch.after(heard, lookAgainMs)) === 'closing') return;
      }
    } finally {
      watch.close();
    }
  }

  private lines(
    { tenantId }: Principal,
    jobId: string,
    since: string | undefined,
    limit: number,
  ): Promise<LogLine[]> {
    return this.database.call((db) => getLogs(db, tenantId, jobId, { since, limit }));
  }
}

export function toNdjson(lines: readonly LogLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
