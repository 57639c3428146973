import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { type Listener, listenForChanges } from '@perdure/store/read';
import { Settings } from '../settings.ts';
import { Deadlines } from './deadlines.ts';

export type Heard = 'change' | 'time' | 'closing';

/** What one waiter has heard of its job since it began to watch. */
export class Watch {
  /** How often anything was heard: log lines come at an unchanged revision. */
  count = 0;
  /** Has read what there is, and waits for news. */
  isAsleep = false;
  private revision = 0;
  /** Listening was interrupted, or somebody may see the job no longer: it is to be read anew. */
  private again = false;
  /** Nobody waits for the answer any more. */
  private over = false;
  private wake: () => void = () => {};

  constructor(
    private readonly changes: { closing: boolean; deadlines: Deadlines },
    gone: AbortSignal | undefined,
    readonly close: () => void,
  ) {
    gone?.addEventListener('abort', () => this.end(), { once: true });
  }

  /** Waits until the job has a revision beyond this one. Returns at once where that was heard before. */
  beyond(revision: number, ms: number): Promise<Heard> {
    return this.until(() => this.revision > revision, ms);
  }

  /** Waits until anything at all was heard after the `count` of before. */
  after(count: number, ms: number): Promise<Heard> {
    return this.until(() => this.count > count, ms);
  }

  hear(revision: number | 'again'): void {
    if (revision === 'again') this.again = true;
    else this.revision = Math.max(this.revision, revision);
    this.count++;
    this.wake();
  }

  end(): void {
    this.over = true;
    this.wake();
  }

  private async until(heard: () => boolean, ms: number): Promise<Heard> {
    const end = performance.now() + ms;
    for (;;) {
      if (this.over || this.changes.closing) return 'closing';
      if (this.again || heard()) {
        this.again = false;
        return 'change';
      }
      if (performance.now() >= end) return 'time';
      this.isAsleep = true;
      await new Promise<void>((resolve) => {
        const forget = this.changes.deadlines.at(end, resolve);
        this.wake = () => {
          forget();
          resolve();
        };
      });
      this.isAsleep = false;
    }
  }
}

/** Tells those who wait for a job that it has changed: one LISTEN for all of them, and no query for any of them. */
@Injectable()
export class Changes implements OnApplicationBootstrap, BeforeApplicationShutdown {
  closing = false;
  readonly deadlines = new Deadlines();
  /** How often anything was heard of any job. */
  heard = 0;
  private readonly watches = new Map<string, Set<Watch>>();
  private readonly pendingHeard: ((jobId: string) => void)[] = [];
  private readonly gapHeard: (() => void)[] = [];
  private listener: Listener | undefined;

  constructor(private readonly settings: Settings) {}

  onApplicationBootstrap(): void {
    this.listener = listenForChanges(
      this.settings.config.database.url,
      ({ jobId, revision, status, tenantId }) => {
        this.heard++;
        const news = revision === 'access' ? 'again' : revision;
        this.watches.get(jobId)?.forEach((watch) => watch.hear(news));
        if (tenantId) this.watches.get(tenantKey(tenantId))?.forEach((watch) => watch.hear(news));
        if (status === 'PENDING') this.pendingHeard.forEach((hear) => hear(jobId));
      },
      () => {
        this.heard++;
        this.all().forEach((watch) => watch.hear('again'));
        this.gapHeard.forEach((hear) => hear());
      },
    );
  }

  /** Called with each job that begins to wait for an agent. */
  onPending(hear: (jobId: string) => void): void {
    this.pendingHeard.push(hear);
  }

  /** Called when changes may have been missed, and when the server closes. */
  onGap(hear: () => void): void {
    this.gapHeard.push(hear);
  }

  /** Watch before the job is read, so that no change falls between; and close it. `gone` ends the waiting. */
  watch(jobId: string, gone?: AbortSignal): Watch {
    return this.watchKey(jobId, gone);
  }

  /** Hears of each event of each job of a tenant; to be used as `watch`. */
  watchTenant(tenantId: string, gone: AbortSignal): Watch {
    return this.watchKey(tenantKey(tenantId), gone);
  }

  private watchKey(key: string, gone?: AbortSignal): Watch {
    const some = this.watches.get(key) ?? new Set();
    this.watches.set(key, some);
    const watch = new Watch(this, gone, () => {
      some.delete(watch);
      if (some.size === 0 && this.watches.get(key) === some) this.watches.delete(key);
    });
    some.add(watch);
    return watch;
  }

  /** The jobs that somebody waits for. */
  watchedJobs(): string[] {
    return [...this.watches.keys()].filter((key) => !key.startsWith(tenantKey('')));
  }

  get waiting(): number {
    return this.all().filter(({ isAsleep }) => isAsleep).length;
  }

  /** Long polls and streams end with a good answer before the server closes. */
  async beforeApplicationShutdown(): Promise<void> {
    this.closing = true;
    for (const watch of this.all()) watch.end();
    this.gapHeard.forEach((hear) => hear());
    await this.listener?.close();
  }

  private all(): Watch[] {
    return [...this.watches.values()].flatMap((some) => [...some]);
  }
}

/** Cannot be the id of a job. */
const tenantKey = (tenantId: string): string => `tenant:${tenantId}`;
