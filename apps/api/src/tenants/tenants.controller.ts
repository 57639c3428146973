import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { NewTenant, PageQuery, Tenant, TenantPage, TenantPath, TenantRequest } from '@perdure/job/schemas';
import type { FastifyReply } from 'fastify';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { TenantsService } from './tenants.service.ts';

@ApiTags('tenants')
@Controller('v1/tenants')
export class TenantsController {
  constructor(private readonly tenants: TenantsService) {}

  @Post()
  @Operation({
    id: 'createTenant',
    summary: 'Make a tenant',
    description: 'With its first admin, and a key of that admin. Only admins of the first tenant may.',
    permission: 'tenants.manage',
    answers: [
      {
        status: 201,
        description: 'The tenant. The key of its admin is shown this once',
        schema: NewTenant,
        headers: { Location: 'The tenant' },
      },
    ],
    problems: ['id-taken', 'payload-too-large', 'unsupported-media-type'],
  })
  async create(
    @Caller() caller: Principal,
    @Body({ schema: TenantRequest }) request: TenantRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NewTenant> {
    const tenant = await this.tenants.create(caller, request);
    reply.code(201).header('location', `/v1/tenants/${tenant.id}`).header('cache-control', 'no-store');
    return tenant;
  }

  @Get()
  @Operation({
    id: 'listTenants',
    summary: 'The tenants, newest first',
    description: 'To admins of the first tenant, all of them; to others, their own.',
    permission: 'tenants.read',
    answers: [{ status: 200, description: 'Tenants', schema: TenantPage }],
  })
  list(@Caller() caller: Principal, @Query({ schema: PageQuery }) query: PageQuery): Promise<TenantPage> {
    return this.tenants.list(caller, query);
  }

  @Get(':id')
  @Operation({
    id: 'getTenant',
    summary: 'A tenant',
    permission: 'tenants.read',
    answers: [{ status: 200, description: 'The tenant', schema: Tenant }],
    problems: ['not-found'],
  })
  get(@Caller() caller: Principal, @Param({ schema: TenantPath }) { id }: TenantPath): Promise<Tenant> {
    return this.tenants.get(caller, id);
  }
}
