import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { countedAs, type Principal } from '../http/caller.ts';
import { HttpError } from '../http/problem.ts';
import { dropWhenStalled } from '../http/stalled.ts';
import { Settings } from '../settings.ts';

/** How soon a client that has too many streams open may try again, in seconds. */
const retryAfter = '10';

/** The streams that are open on this replica: so many a key (or a user, with tokens), and none for a client that takes nothing. */
@Injectable()
export class OpenStreams {
  private readonly count = new Map<string, number>();

  constructor(private readonly settings: Settings) {}

  /** Counts a stream until `gone`. Throws 'too-many-streams'. */
  open(caller: Principal, reply: FastifyReply, gone: AbortSignal): void {
    if (gone.aborted) return;
    const { perKey, stallMs } = this.settings.config.streams;
    const key = countedAs(caller);
    const count = this.count.get(key) ?? 0;
    if (count >= perKey) {
      throw new HttpError('too-many-streams', `This key has ${perKey} streams open: close one first`, {
        headers: { 'retry-after': retryAfter },
      });
    }
    this.count.set(key, count + 1);
    gone.addEventListener('abort', () => this.leave(key), { once: true });
    dropWhenStalled(reply.raw, stallMs);
  }

  private leave(key: string): void {
    const count = this.count.get(key) ?? 0;
    if (count > 1) this.count.set(key, count - 1);
    else this.count.delete(key);
  }
}
