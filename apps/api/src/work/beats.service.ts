import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { BeatRequest, Holding, Orders } from '@perdure/job/schemas';
import { beat } from '@perdure/store/report';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { Holders } from './holders.ts';
import { ReportsService } from './reports.service.ts';

/** The beat of an HTTP agent, for itself and for the jobs that it names. */
@Injectable()
export class BeatsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly holders: Holders,
    private readonly reports: ReportsService,
  ) {}

  async beat(caller: Principal, pathId: string, { jobs = [] }: BeatRequest): Promise<Orders> {
    const agent = await this.holders.agent(caller, pathId);
    await this.database.call(caller.tenantId, (db) => beat(db, agent.id, { status: 'idle', busy: 0 }));
    const told = await Promise.all(
      jobs.map(async ({ id, attempt }): Promise<Holding | { id: string; attempt: number }> => {
        try {
          const job = await this.holders.job(agent, caller, id, attempt);
          await this.reports.beat(id, attempt);
          return await this.reports.told(agent, job);
        } catch (error) {
          const lost = error instanceof PerdureError && ['stale-attempt', 'not-found'].includes(error.code);
          if (!lost) throw error;
          return { id, attempt };
        }
      }),
    );
    return {
      agentId: agent.id,
      draining: agent.drainRequestedAt !== null,
      jobs: told.filter((one) => 'status' in one),
      lost: told.filter((one) => !('status' in one)),
    };
  }
}
