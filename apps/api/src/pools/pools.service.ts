import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { claimQueueOf } from '@perdure/job/queues';
import type { Pool, PoolDetails, PoolMemberPath, PoolRequest } from '@perdure/job/schemas';
import { addToPool, createPool, deletePool, removeFromPool } from '@perdure/store/admin';
import { getPool, listPools, pendingIn, type PoolRecord } from '@perdure/store/read';
import type { Target } from '../audit/act.ts';
import { AgentsService } from '../agents/agents.service.ts';
import { demandOf } from '../agents/offers.ts';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { refusal } from '../http/refusal.ts';
import { Backlogs } from '../temporal/backlogs.ts';

/** Each queue that is described is a call to Temporal. */
const maxQueues = 50;

@Injectable()
export class PoolsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly agents: AgentsService,
    private readonly backlogs: Backlogs,
  ) {}

  async list({ tenantId }: Principal): Promise<Pool[]> {
    const pools = await this.database.call(tenantId, (db) => listPools(db, tenantId));
    return pools.map(toPool);
  }

  async create(caller: Principal, { name, description }: PoolRequest): Promise<Pool> {
    const { tenantId, id: createdBy } = caller;
    const pool = { tenantId, name, description: description ?? null, createdBy };
    const made = await this.database.change(
      caller,
      (db) => createPool(db, pool),
      (fresh) => fresh && poolOf(name),
    );
    if (!made) throw refusal('id-taken', '/name', `There is a pool '${name}' already`);
    return toPool(await this.find(caller, name));
  }

  async describe(caller: Principal, name: string): Promise<PoolDetails> {
    const pool = await this.find(caller, name);
    const { tenantId } = caller;
    const waiting = await this.database.call(tenantId, (db) => pendingIn(db, tenantId, name));
    const members = (await this.agents.known(tenantId)).filter(({ id }) => pool.agentIds.includes(id));
    const served = members.flatMap(({ functions }) =>
      functions.map(({ name: functionName, version: functionVersion }) =>
        claimQueueOf({ functionName, functionVersion, pool: name }),
      ),
    );
    const queues = [...new Set([...waiting.map((job) => claimQueueOf(demandOf(job))), ...served])];
    const backlog = await Promise.all(
      queues.slice(0, maxQueues).map(async (queue) => {
        const seen = await this.backlogs.of(queue);
        return seen && { queue, ...seen };
      }),
    );
    return {
      ...toPool(pool),
      pending: waiting.reduce((sum, { count }) => sum + count, 0),
      backlog: backlog.every((one) => one !== null) ? backlog : null,
    };
  }

  async remove(caller: Principal, name: string): Promise<void> {
    const pool = await this.find(caller, name);
    const gone = await this.database.change(
      caller,
      (db) => deletePool(db, caller.tenantId, name),
      (deleted) => deleted && poolOf(name),
    );
    if (gone) return;
    if (pool.tenantId !== caller.tenantId)
      throw new PerdureError(
        'forbidden',
        `The pool '${name}' was announced by agents that serve all tenants`,
      );
    throw new PerdureError(
      'transition-refused',
      `There are agents in the pool '${name}': take them out first`,
    );
  }

  async put(caller: Principal, { name, id }: PoolMemberPath, member: boolean): Promise<Pool> {
    await this.find(caller, name);
    const agent = await this.agents.managed(caller, id);
    // Also an agent of everybody's, whose places are nobody's.
    await this.database.changeAcross(
      caller,
      (db) => (member ? addToPool(db, name, agent) : removeFromPool(db, name, agent)),
      () => [poolOf(name), { kind: 'agent', id }],
    );
    return toPool(await this.find(caller, name));
  }

  private async find({ tenantId }: Principal, name: string): Promise<PoolRecord> {
    const pool = await this.database.call(tenantId, (db) => getPool(db, tenantId, name));
    if (pool === undefined) throw new PerdureError('not-found', 'There is no such pool');
    return pool;
  }
}

function poolOf(name: string): Target {
  return { kind: 'pool', id: name };
}

function toPool({ name, description, agentIds: agents, createdBy, createdAt }: PoolRecord): Pool {
  return { name, description, agents, createdBy, createdAt };
}
