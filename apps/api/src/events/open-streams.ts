import { Injectable } from '@nestjs/common';
import type { Principal } from '../http/caller.ts';
import { HttpError } from '../http/problem.ts';
import { Settings } from '../settings.ts';

/** How soon a client that has too many streams open may try again, in seconds. */
const retryAfter = '10';

/** Counts the streams that each key keeps open on this replica, so that no client takes them all. */
@Injectable()
export class OpenStreams {
  private readonly open = new Map<string, number>();

  constructor(private readonly settings: Settings) {}

  /** Until `gone`. Throws 'too-many-streams'. */
  add({ keyId }: Principal, gone: AbortSignal): void {
    if (gone.aborted) return;
    const count = this.open.get(keyId) ?? 0;
    const most = this.settings.config.streams.perKey;
    if (count >= most) {
      throw new HttpError('too-many-streams', `This key has ${most} streams open: close one first`, {
        headers: { 'retry-after': retryAfter },
      });
    }
    this.open.set(keyId, count + 1);
    gone.addEventListener('abort', () => this.leave(keyId), { once: true });
  }

  private leave(keyId: string): void {
    const count = this.open.get(keyId) ?? 0;
    if (count > 1) this.open.set(keyId, count - 1);
    else this.open.delete(keyId);
  }
}
