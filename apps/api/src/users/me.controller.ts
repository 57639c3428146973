import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { mayDo, type Permission, permissions } from '@perdure/job/permissions';
import { Me } from '@perdure/job/schemas';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { TenantsService } from '../tenants/tenants.service.ts';
import { UsersService } from './users.service.ts';

const all = Object.keys(permissions) as Permission[];

@ApiTags('users')
@Controller('v1/me')
export class MeController {
  constructor(
    private readonly users: UsersService,
    private readonly tenants: TenantsService,
  ) {}

  @Get()
  @Operation({
    id: 'getMe',
    summary: 'Who am I, and what may I do',
    permission: 'me.read',
    answers: [{ status: 200, description: 'What this key or token stands for', schema: Me }],
  })
  async me(@Caller() caller: Principal): Promise<Me> {
    const { tenantId, userId, agentId, keyId, name, role, expiresAt } = caller;
    const [user, tenant] = await Promise.all([
      userId === null ? null : this.users.get(caller, userId),
      this.tenants.get(caller, tenantId),
    ]);
    const allowed = all.filter((one) => mayDo(caller, one));
    const who = { tenantId, tenantName: tenant.name, user, agentId, keyId, name };
    return { ...who, role, expiresAt, permissions: allowed };
  }
}
