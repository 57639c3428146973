import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PerdureError } from '@perdure/job/errors';
import { mayDo, type Permission } from '@perdure/job/permissions';
import type { FastifyReply } from 'fastify';
import { KeyRing } from '../keys/key-ring.ts';
import { RateLimits } from './rate-limits.ts';
import { type AuthenticatedRequest, permissionKey } from './caller.ts';

/** The one guard: a valid key, and a role that the table of `libs/job` lets do it. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly keys: KeyRing,
    private readonly rates: RateLimits,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest>();
    const permission = this.reflector.get<Permission | 'public' | undefined>(
      permissionKey,
      context.getHandler(),
    );
    if (permission === undefined) throw new PerdureError('forbidden', 'This operation is open to nobody');
    if (permission !== 'public') {
      const principal = await this.keys.principalOf(request.headers.authorization);
      this.rates.count(principal, http.getResponse<FastifyReply>());
      if (!mayDo(principal.role, permission)) {
        throw new PerdureError(
          'forbidden',
          `A key with the role '${principal.role}' may not do that (${permission})`,
        );
      }
      request.principal = principal;
    }
    // A body that could not be read: told only to those who may send one.
    if (request.body instanceof PerdureError) throw request.body;
    return true;
  }
}
