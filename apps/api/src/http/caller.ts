import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Permission, Role } from '@perdure/job/permissions';
import type { FastifyRequest } from 'fastify';

/** Who is asking. The tenant of every query comes from here. */
export type Principal = {
  keyId: string;
  tenantId: string;
  name: string;
  role: Role;
  agentId: string | null;
  expiresAt: string | null;
};

export type AuthenticatedRequest = FastifyRequest & { principal?: Principal };

/** The parameter of a controller's method that says who is asking. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (principal === undefined) throw new Error('an operation without permission asks who is calling');
  return principal;
});

export const permissionKey = 'perdure:permission';

/** What the operation needs; `public` needs no key. An operation that says nothing is open to nobody. */
export const Needs = (permission: Permission | 'public') => SetMetadata(permissionKey, permission);
