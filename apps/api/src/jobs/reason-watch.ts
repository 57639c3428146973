import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { pendingAmong } from '@perdure/store/read';
import { setTimeout as pause } from 'node:timers/promises';
import { DatabaseService } from '../database/database.service.ts';
import { Settings } from '../settings.ts';
import { Changes } from './changes.ts';
import { WaitingReasons } from './waiting-reasons.ts';

const atOnce = 1_000;

/**
 * Nothing is written when agents come, go or fill up, though jobs then wait for another reason. So the jobs that somebody
 * waits for are looked at from time to time, all of them with one query; what has changed wakes those who wait.
 */
@Injectable()
export class ReasonWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly closing = new AbortController();
  private looking = Promise.resolve();

  constructor(
    private readonly changes: Changes,
    private readonly database: DatabaseService,
    private readonly reasons: WaitingReasons,
    private readonly settings: Settings,
  ) {}

  onApplicationBootstrap(): void {
    this.looking = this.lookAgainAndAgain(this.closing.signal);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.closing.abort();
    await this.looking;
  }

  private async lookAgainAndAgain(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Aborted: closing does not wait for the pause.
      await pause(this.settings.config.waitingReasonMs, undefined, { signal, ref: false }).catch(() => {});
      const ids = this.changes.watchedJobs();
      for (let from = 0; from < ids.length && !signal.aborted; from += atOnce) {
        // A database that is away: the next round will see.
        await this.look(ids.slice(from, from + atOnce)).catch(() => {});
      }
    }
  }

  private async look(ids: string[]): Promise<void> {
    for (const job of await this.database.across((db) => pendingAmong(db, ids))) await this.reasons.note(job);
  }
}
