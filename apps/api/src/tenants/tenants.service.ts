import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { mayDo } from '@perdure/job/permissions';
import type { NewTenant, PageQuery, Tenant, TenantPage, TenantRequest } from '@perdure/job/schemas';
import { createTenant, getTenant, listTenants, type TenantRecord } from '@perdure/store/admin';
import { DatabaseService } from '../database/database.service.ts';
import type { Principal } from '../http/caller.ts';
import { refusal } from '../http/refusal.ts';
import { PageTokens } from '../jobs/page-tokens.ts';
import { toKey } from '../keys/keys.service.ts';
import { newSecret } from '../keys/secret.ts';
import { toUser } from '../users/users.service.ts';

const scope = 'tenants';

/** Whoever manages tenants sees all of them; everybody else lives in one and knows of no other. */
@Injectable()
export class TenantsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly pageTokens: PageTokens,
  ) {}

  async create(caller: Principal, { name, admin }: TenantRequest): Promise<NewTenant> {
    const { key, ...secret } = newSecret();
    const made = await this.database.changeAcross(
      caller,
      (db) => createTenant(db, { name, admin, secret }),
      (fresh) => fresh && { kind: 'tenant', id: fresh.tenant.tenantId },
    );
    if (made !== undefined)
      return { ...toTenant(made.tenant), admin: toUser(made.admin), key: { ...toKey(made.key), key } };
    throw refusal('id-taken', '/name', `There is a tenant '${name}' already`);
  }

  async list(caller: Principal, { pageSize: limit, pageToken }: PageQuery): Promise<TenantPage> {
    if (!mayDo(caller, 'tenants.manage'))
      return { items: [await this.get(caller, caller.tenantId)], nextPageToken: null };
    return this.pageTokens.page(pageToken, scope, async (after) => {
      const { items, next } = await this.database.across((db) => listTenants(db, { after, limit }));
      return { items: items.map(toTenant), next };
    });
  }

  /** Throws 'not-found', also for a tenant that the caller may not know of. */
  async get(caller: Principal, id: string): Promise<Tenant> {
    const visible = id === caller.tenantId || mayDo(caller, 'tenants.manage');
    const tenant = visible ? await this.database.across((db) => getTenant(db, id)) : undefined;
    if (tenant === undefined) throw new PerdureError('not-found', 'There is no such tenant');
    return toTenant(tenant);
  }
}

function toTenant({ tenantId: id, name, createdAt }: TenantRecord): Tenant {
  return { id, name, createdAt };
}
