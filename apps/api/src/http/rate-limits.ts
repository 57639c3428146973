import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { addRequests, dropRequestCounts, type RequestCount } from '@perdure/store/admin';
import type { FastifyReply } from 'fastify';
import { DatabaseService } from '../database/database.service.ts';
import { Settings } from '../settings.ts';
import type { Principal } from './caller.ts';
import { HttpError } from './problem.ts';

/** How often replicas tell each other what they have counted. So long the sum may lag behind. */
const shareMs = 1_000;

/** `own` is not yet in `shared`, which is what all replicas have told. */
type Count = { tenantId: string; subject: string; own: number; shared: number };

type Policy = { name: 'key' | 'tenant'; quota: number; count: Count };

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
  private readonly policy: string;

  constructor(
    private readonly database: DatabaseService,
    private readonly settings: Settings,
  ) {
    const { perKey, perTenant, windowMs } = settings.config.rates;
    const named = [
      ['key', perKey],
      ['tenant', perTenant],
    ] as const;
    this.policy = named
      .filter(([, quota]) => quota > 0)
      .map(([name, quota]) => `"${name}";q=${quota};w=${windowMs / 1_000}`)
      .join(', ');
  }

  onApplicationBootstrap(): void {
    if (this.policy === '') return;
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
  count({ keyId, id, tenantId }: Principal, reply: FastifyReply): void {
    if (this.policy === '') return;
    const { perKey, perTenant, windowMs } = this.settings.config.rates;
    const now = Date.now();
    this.turnTo(Math.floor(now / windowMs) * windowMs);
    const all: Policy[] = [
      { name: 'key', quota: perKey, count: this.of(tenantId, `key ${keyId ?? id}`) },
      { name: 'tenant', quota: perTenant, count: this.of(tenantId, 'all') },
    ];
    const policies = all.filter(({ quota }) => quota > 0);
    const spent = policies.find(({ quota, count }) => count.own + count.shared >= quota);
    if (spent === undefined) for (const { count } of policies) count.own++;
    const seconds = Math.ceil((this.windowStart + windowMs - now) / 1_000);
    const left = policies.map(({ name, quota, count }) => {
      return `"${name}";r=${Math.max(0, quota - count.own - count.shared)};t=${seconds}`;
    });
    reply.header('ratelimit-policy', this.policy).header('ratelimit', left.join(', '));
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

  private of(tenantId: string, subject: string): Count {
    const known = this.counts.get(`${tenantId} ${subject}`);
    if (known !== undefined) return known;
    const count = { tenantId, subject, own: 0, shared: 0 };
    this.counts.set(`${tenantId} ${subject}`, count);
    return count;
  }

  private async share(): Promise<void> {
    const { counts, windowStart } = this;
    const told = [...counts.values()].flatMap(({ tenantId, subject, own: requests }) =>
      requests > 0 ? [{ tenantId, subject, requests }] : [],
    );
    if (told.length === 0) return;
    const of = ({ tenantId, subject }: RequestCount) => counts.get(`${tenantId} ${subject}`);
    try {
      const sums = await this.database.call((db) => addRequests(db, windowStart, told));
      for (const one of told) {
        const count = of(one);
        if (count) count.own -= one.requests;
      }
      for (const one of sums) {
        const count = of(one);
        if (count) count.shared = one.requests;
      }
      await this.database.call((db) =>
        dropRequestCounts(db, windowStart - this.settings.config.rates.windowMs),
      );
    } catch {
      // While the database is away each replica goes by its own counts, and tells them later.
    }
  }
}
