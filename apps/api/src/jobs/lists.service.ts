import { Injectable } from '@nestjs/common';
import type { JobCounts, JobPage, JobQuery } from '@perdure/job/schemas';
import { countJobs, type JobListing, listJobs } from '@perdure/store/read';
import { onlyOf } from '../access/visibility.ts';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { utc } from '../http/moments.ts';
import { JobsService } from './jobs.service.ts';
import { PageTokens } from './page-tokens.ts';

@Injectable()
export class ListsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly jobs: JobsService,
    private readonly pageTokens: PageTokens,
  ) {}

  async list(caller: Principal, query: JobQuery): Promise<JobPage> {
    const { tenantId } = caller;
    const { pageSize, pageToken } = query;
    const asked = { ...listingOf(query), visibleTo: onlyOf(caller) };
    const scope = JSON.stringify([tenantId, asked]);
    return this.pageTokens.page(pageToken, scope, async (after) => {
      const { jobs, next } = await this.database.call(tenantId, (db) =>
        listJobs(db, tenantId, { ...asked, after, limit: pageSize }),
      );
      return { items: await Promise.all(jobs.map((job) => this.jobs.summary(job))), next };
    });
  }

  counts({ tenantId }: Principal): Promise<JobCounts> {
    return this.database.call(tenantId, (db) => countJobs(db, tenantId));
  }
}

/** The same list always in the same form, as the signature of its tokens wants it. */
function listingOf(query: JobQuery): Omit<JobListing, 'limit'> {
  const hasEnded = query.endedAfter !== undefined || query.endedBefore !== undefined;
  return {
    sort: query.sort ?? (hasEnded ? '-endedAt' : '-createdAt'),
    statuses: query.status && [...new Set(query.status)].sort(),
    functionName: query.function,
    agentId: query.agent,
    pool: query.pool,
    owner: query.owner,
    model: query.model,
    labels: [...new Set(query.label)].sort().map(labelOf),
    createdAfter: utc(query.createdAfter),
    createdBefore: utc(query.createdBefore),
    endedAfter: utc(query.endedAfter),
    endedBefore: utc(query.endedBefore),
    archived: query.archived,
    nameContains: query.q,
  };
}

function labelOf(text: string): [key: string, value: string] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1)];
}
