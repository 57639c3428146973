import { Injectable } from '@nestjs/common';
import { type Feed, getFeed, type Place, placeOfNow } from '@perdure/store/read';
import { setTimeout as pause } from 'node:timers/promises';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { Changes } from '../jobs/changes.ts';
import { Settings } from '../settings.ts';
import { Shared } from '../shared.ts';
import { badId, beginning, historyMessage, idOf, keepAlive, placeIn } from './messages.ts';

const atOnce = 200;
/** How often to look again for an event that an older transaction holds back. */
const pausesMs = [5, 10, 20, 40, 80];
const heldBackMs = 250;

type Step = { text: string; place: Place; full: boolean; withheld: boolean };

/** What happens to all jobs of a tenant. */
@Injectable()
export class TenantEventsService {
  private readonly steps = new Shared<Step>();

  constructor(
    private readonly database: DatabaseService,
    private readonly changes: Changes,
    private readonly settings: Settings,
  ) {}

  /**
   * The place to go on from: the present one without an id.
   *
   * @throws PerdureError `invalid-request` for an id that no stream can have had yet
   */
  async resume(lastEventId: string | undefined): Promise<Place> {
    const after = lastEventId === undefined ? undefined : placeIn(lastEventId);
    const now = await this.database.across((db) => placeOfNow(db));
    if (after && BigInt(after.written) > BigInt(now.written)) throw badId();
    return after ?? now;
  }

  /** Everything after a place, until the client is gone or the server closes. Nothing is read ahead of a slow client. */
  async *follow({ tenantId }: Principal, after: Place, gone: AbortSignal): AsyncGenerator<string> {
    const { keepAliveMs } = this.settings.config.streams;
    let place = after;
    let lastSentAt = performance.now();
    const watch = this.changes.watchTenant(tenantId, gone);
    try {
      yield beginning(idOf(place));
      for (;;) {
        const heard = watch.count;
        // All who were woken by the same news read together; whoever was woken by later news does not get an older answer.
        const key = `${tenantId} ${idOf(place)} ${this.changes.heard}`;
        const step = await this.steps.get(key, () => this.step(tenantId, place));
        place = step.place;
        // What wakes a stream may be nothing that it can tell: log lines, or an event that is held back.
        const isSilent = performance.now() - lastSentAt >= keepAliveMs;
        if (step.text !== '' || isSilent) {
          yield step.text || keepAlive;
          lastSentAt = performance.now();
        }
        if (step.full) continue;
        const untilSilent = lastSentAt + keepAliveMs - performance.now();
        const ms = step.withheld ? Math.min(heldBackMs, untilSilent) : untilSilent;
        if ((await watch.after(heard, ms)) === 'closing') return;
      }
    } finally {
      watch.close();
    }
  }

  private async step(tenantId: string, place: Place): Promise<Step> {
    const { events, withheld } = await this.read(tenantId, place);
    return {
      text: events.map(({ place: own, ...event }) => historyMessage(idOf(own), event)).join(''),
      place: events.at(-1)?.place ?? place,
      full: events.length === atOnce,
      withheld,
    };
  }

  private async read(tenantId: string, place: Place): Promise<Feed> {
    let feed = await this.database.call(tenantId, (db) => getFeed(db, tenantId, place, atOnce));
    for (const ms of pausesMs) {
      if (feed.events.length > 0 || !feed.withheld) return feed;
      await pause(ms);
      feed = await this.database.call(tenantId, (db) => getFeed(db, tenantId, place, atOnce));
    }
    return feed;
  }
}
