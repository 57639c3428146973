import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { addRequests, dropRequestCounts, type RequestCount } from '@perdure/store/admin';
import type { FastifyReply } from 'fastify';
import { DatabaseService } from '../database/database.service.ts';
import { Settings } from '../settings.ts';
import { countedAs, type Identity } from './caller.ts';
import { HttpError } from './problem.ts';

/** How often replicas tell each other what they have counted. So long the sum may lag behind. */
const shareMs = 1_000;

/** `own` is not yet in `shared`, which is what all replicas have told. */
type Count = { tenantId: string; subject: string; own: number; shared: number };

type Policy = { name: 'key' | 'tenant'; quota: number };

/**
 * So many requests a key (or a user, with tokens) and a tenant may make in a window, over all replicas. Each replica counts by itself and adds its counts to those of the
 * others once a second, in one statement: a request costs no query. Says in `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-10) what may be asked for, and what is left of it.
 */
@Injectable()
export class RateLimits implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private counts = new Map<string, Count>();
  private windowStart = 0;
  private timer: NodeJS.Timeout | undefined;
  private sharing: Promise<void> | undefined;
  /** The window whose forerunners are forgotten. */
  private tidiedFor = 0;
  private readonly policies: readonly Policy[];
  /** The same, as the header tells them. */
  private readonly told: string;

  constructor(
    private readonly database: DatabaseService,
    private readonly settings: Settings,
  ) {
    const { perKey, perTenant, windowMs } = settings.config.rates;
    const all: Policy[] = [
      { name: 'key', quota: perKey },
      { name: 'tenant', quota: perTenant },
    ];
    this.policies = all.filter(({ quota }) => quota > 0);
    this.told = this.policies
      .map(({ name, quota }) => `"${name}";q=${quota};w=${windowMs / 1_000}`)
      .join(', ');
  }

  onApplicationBootstrap(): void {
    if (this.policies.length === 0) return;
    this.timer = setInterval(() => {
      // One at a time: what is counted meanwhile goes with the next.
      this.sharing ??= this.share().finally(() => (this.sharing = undefined));
    }, shareMs);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.sharing;
  }

  /** Counts one request. Throws 'too-many-requests'; what is refused is not counted. */
  count(caller: Identity, reply: FastifyReply): void {
    if (this.policies.length === 0) return;
    const { windowMs } = this.settings.config.rates;
    const now = Date.now();
    this.turnTo(Math.floor(now / windowMs) * windowMs);
    const policies = this.policies.map((policy) => ({ ...policy, count: this.countOf(caller, policy) }));
    const spent = policies.find(({ quota, count }) => count.own + count.shared >= quota);
    if (spent === undefined) for (const { count } of policies) count.own++;
    const seconds = Math.ceil((this.windowStart + windowMs - now) / 1_000);
    const left = policies.map(({ name, quota, count }) => {
      return `"${name}";r=${Math.max(0, quota - count.own - count.shared)};t=${seconds}`;
    });
    reply.header('ratelimit-policy', this.told).header('ratelimit', left.join(', '));
    if (spent === undefined) return;
    const who = spent.name === 'key' ? 'This key' : 'The tenant of this key';
    throw new HttpError(
      'too-many-requests',
      `${who} may make ${spent.quota} requests in ${windowMs / 1_000} seconds: ask again in ${seconds}`,
      { headers: { 'retry-after': String(seconds) } },
    );
  }

  private turnTo(windowStart: number): void {
    if (windowStart === this.windowStart) return;
    this.windowStart = windowStart;
    this.counts = new Map();
  }

  private countOf(caller: Identity, { name }: Policy): Count {
    const { tenantId } = caller;
    const subject = name === 'key' ? `key ${countedAs(caller)}` : 'all';
    const known = this.counts.get(nameOf({ tenantId, subject }));
    if (known !== undefined) return known;
    const count = { tenantId, subject, own: 0, shared: 0 };
    this.counts.set(nameOf(count), count);
    return count;
  }

  private async share(): Promise<void> {
    const { counts, windowStart } = this;
    const told = [...counts.values()]
      .filter(({ own }) => own > 0)
      .map((count) => ({ count, requests: count.own }));
    if (told.length === 0) return;
    const asRows = told.map(({ count: { tenantId, subject }, requests }) => ({
      tenantId,
      subject,
      requests,
    }));
    try {
      const sums = await this.database.across((db) => addRequests(db, windowStart, asRows));
      const sumOf = new Map(sums.map((sum) => [nameOf(sum), sum.requests]));
      for (const { count, requests } of told) {
        count.own -= requests;
        count.shared = sumOf.get(nameOf(count)) ?? count.shared + requests;
      }
      if (this.tidiedFor === windowStart) return;
      await this.database.across((db) =>
        dropRequestCounts(db, windowStart - this.settings.config.rates.windowMs),
      );
      this.tidiedFor = windowStart;
    } catch {
      // While the database is away each replica goes by its own counts, and tells them later.
    }
  }
}

function nameOf({ tenantId, subject }: Pick<RequestCount, 'tenantId' | 'subject'>): string {
  return `${tenantId} ${subject}`;
}
