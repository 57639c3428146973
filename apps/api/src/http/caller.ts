import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Json } from '@perdure/job/json';
import type { Permission, Role } from '@perdure/job/permissions';
import type { FastifyRequest } from 'fastify';
import type { Act } from '../audit/act.ts';

/** Whom a key or a token speaks for. */
export type Identity = {
  tenantId: string;
  /** The user's, or the agent's: the owner and the actor of all that it does. */
  id: string;
  /** null: an agent. */
  userId: string | null;
  /** null: a user. */
  agentId: string | null;
  /** The API key; null: a token of the identity provider. */
  keyId: string | null;
  name: string;
  /** What counts now: the lower one of the key's or token's, and the user's. */
  role: Role;
  expiresAt: string | null;
};

/** Who is asking, and for what. The tenant of every query comes from here. */
export type Principal = Identity & { act: Act };

/** Whose requests and streams are counted together: those with one key; with tokens, those of one user. */
export function countedAs({ keyId, id }: Identity): string {
  return keyId ?? id;
}

/** `permission` is the one that let `principal` in; `signed` is what a signed URL fixes besides. */
export type AuthenticatedRequest = FastifyRequest & {
  principal?: Principal;
  permission?: Permission;
  signed?: Json;
};

/** The parameter of a controller's method that says who is asking. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (principal === undefined) throw new Error('an operation without permission asks who is calling');
  return principal;
});

/** On operations that take a signed URL in the place of a key. */
export const signableKey = 'perdure:signable';

export const permissionKey = 'perdure:permission';

export const operationKey = 'perdure:operation';

/** What the operation needs; `public` needs no key. An operation that says nothing is open to nobody. */
export const Needs = (permission: Permission | 'public') => SetMetadata(permissionKey, permission);

/** What the audit log calls it. */
export const Named = (operation: string) => SetMetadata(operationKey, operation);
