import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { Agent, AgentRequest } from '@perdure/job/schemas';
import { getAgent } from '@perdure/store/read';
import { type Announcement, announceAgent } from '@perdure/store/report';
import { DatabaseService } from '../database/database.service.ts';
import { Catalogue } from '../functions/catalogue.ts';
import type { Principal } from '../http/caller.ts';
import { invalid } from '../http/refusal.ts';
import { toAgent } from './agents.service.ts';

const defaultLeaseSeconds = 60;

/** HTTP agents say what they are. They serve the tenant of their key, and no other. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly database: DatabaseService,
    private readonly catalogue: Catalogue,
  ) {}

  async register(caller: Principal, request: AgentRequest): Promise<Agent> {
    const { tenantId } = caller;
    const id = idFor(caller, request);
    await this.checkFunctions(tenantId, request);
    const announcement: Announcement = {
      id,
      tenantId,
      kind: 'http',
      displayName: request.displayName ?? id,
      pools: request.pools ?? [],
      functions: request.functions,
      tools: request.tools ?? [],
      operatingSystem: request.operatingSystem ?? 'other',
      slots: request.slots ?? 1,
      softwareVersion: request.softwareVersion ?? '',
      leaseSeconds: request.leaseSeconds ?? defaultLeaseSeconds,
      startedAt: new Date().toISOString(),
    };
    await this.database.change(
      caller,
      (db) => announceAgent(db, announcement),
      () => ({ kind: 'agent', id }),
    );
    const agent = await this.database.call(tenantId, (db) => getAgent(db, tenantId, id));
    if (agent === undefined) throw new Error(`agent ${id} was registered and is gone`);
    return toAgent(agent);
  }

  private async checkFunctions(tenantId: string, { functions }: AgentRequest): Promise<void> {
    const known = await Promise.all(
      functions.map(({ name, version }) => this.catalogue.find(tenantId, name, version)),
    );
    const details = functions.flatMap(({ name, version }, index) =>
      known[index] === undefined
        ? [
            {
              pointer: `/functions/${index}`,
              detail: `Nobody has registered ${name}@${version}: PUT /v1/functions`,
            },
          ]
        : [],
    );
    const [first] = details;
    if (first) throw new PerdureError('unknown-function', first.detail, { details });
  }
}

/** A key of an agent speaks for that agent alone. */
function idFor({ role, agentId }: Principal, { id }: AgentRequest): string {
  if (role === 'agent' && agentId === null)
    throw new PerdureError('forbidden', 'This key speaks for no agent: make one with `agentId`');
  if (role === 'agent' && id !== undefined && id !== agentId)
    throw new PerdureError('forbidden', `This key speaks for agent '${agentId}' alone`);
  const chosen = id ?? agentId;
  if (chosen !== null) return chosen;
  throw invalid('/id', 'is missing: this key does not say which agent it is');
}
