import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PerdureError } from '@perdure/job/errors';
import type { Permission } from '@perdure/job/permissions';
import type { FastifyReply } from 'fastify';
import { Access } from '../access/access.ts';
import { SignedUrls } from '../access/signed-urls.ts';
import { actOf } from '../audit/act.ts';
import {
  type AuthenticatedRequest,
  type Identity,
  operationKey,
  permissionKey,
  signableKey,
} from './caller.ts';
import { RateLimits } from './rate-limits.ts';

/** The one guard: a valid key, token or signed URL, and a role that the table of `libs/job` lets do it. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly access: Access,
    private readonly signedUrls: SignedUrls,
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
      const identity = await this.identityOf(request, context);
      this.rates.count(identity, http.getResponse<FastifyReply>());
      const operation = this.reflector.get<string>(operationKey, context.getHandler());
      // Known from here on: whoever is refused stands in the audit log; not who asks too often, or there would be no limit to it.
      request.principal = { ...identity, act: actOf(operation, request) };
      this.access.check(identity, permission);
      request.permission = permission;
    }
    // A body that could not be read: told only to those who may send one.
    if (request.body instanceof PerdureError) throw request.body;
    return true;
  }

  /** Where there is a signature it is what counts, whatever key comes with it. */
  private async identityOf(request: AuthenticatedRequest, context: ExecutionContext): Promise<Identity> {
    const { signature } = request.query as { signature?: unknown };
    const signable = this.reflector.get<boolean | undefined>(signableKey, context.getHandler());
    if (signature === undefined || signable !== true)
      return this.access.principalOf(request.headers.authorization);
    const { principal, about } = await this.signedUrls.open(request, signature);
    request.signed = about;
    return principal;
  }
}
