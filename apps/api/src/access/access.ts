import { Injectable } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import { mayDo, type Permission } from '@perdure/job/permissions';
import type { Identity } from '../http/caller.ts';
import { KeyRing } from './key-ring.ts';
import { Tokens } from './tokens.ts';

/** Says who a request comes from, and whether it may do what it asks for. */
@Injectable()
export class Access {
  constructor(
    private readonly keys: KeyRing,
    private readonly tokens: Tokens,
  ) {}

  /**
   * A token of the identity provider has three parts with dots between; a key has no dot. Throws 'unauthenticated', 'forbidden' for a token
   * that gives no place here, or 'unavailable' where nobody can tell.
   */
  async principalOf(authorization: string | undefined): Promise<Identity> {
    const bearer = /^Bearer +([\w.-]+)$/i.exec(authorization ?? '')?.[1];
    if (bearer === undefined)
      throw new PerdureError('unauthenticated', 'Send the header Authorization: Bearer <API key or token>');
    return bearer.includes('.') ? this.tokens.principalOf(bearer) : this.keys.principalOf(bearer);
  }

  /** Throws 'forbidden'. */
  check(principal: Identity, permission: Permission): void {
    if (mayDo(principal, permission)) return;
    throw new PerdureError('forbidden', `The role '${principal.role}' may not do that here (${permission})`);
  }
}
