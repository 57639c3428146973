import type { OidcConfig } from '@perdure/config/api';
import { PerdureError } from '@perdure/job/errors';
import { type UserRole, userRoles } from '@perdure/job/permissions';
import type { SignIn } from '@perdure/store/admin';
import type { JWTPayload } from 'jose';

const maxNameLength = 200;
const maxEmailLength = 254;

/** Whom the claims of a verified token stand for, as the configuration reads them. Throws 'forbidden' where they give no place here. */
export function signInOf(payload: JWTPayload, oidc: OidcConfig): SignIn {
  const { sub: subject = '', iat = 0 } = payload;
  const tenant = oidc.tenantClaim === undefined ? oidc.tenant : textIn(payload, oidc.tenantClaim);
  if (tenant === null) throw nowhere();
  const email = payload['email_verified'] === true ? textIn(payload, oidc.emailClaim) : null;
  return {
    tenant,
    issuer: oidc.issuer,
    subject,
    email: email !== null && email.length <= maxEmailLength ? email.toLowerCase() : null,
    displayName: textIn(payload, oidc.nameClaim)?.slice(0, maxNameLength) ?? null,
    role: oidc.role === undefined ? null : roleIn(payload, oidc.role),
    issuedAt: new Date(iat * 1_000).toISOString(),
  };
}

export function nowhere(): PerdureError {
  return new PerdureError('forbidden', 'The token names no tenant that there is');
}

/** The highest of those that the values of the claim give: a text, several in one with spaces between, or a list. */
function roleIn(payload: JWTPayload, { claim, roles }: NonNullable<OidcConfig['role']>): UserRole {
  const value = claimIn(payload, claim);
  const values = [value].flat().flatMap((one) => (typeof one === 'string' ? [one, ...one.split(' ')] : []));
  const given = new Set(values.map((one) => roles.get(one)));
  const highest = userRoles.findLast((role) => given.has(role));
  if (highest === undefined) throw new PerdureError('forbidden', 'The token gives no role here');
  return highest;
}

function textIn(payload: JWTPayload, claim: string): string | null {
  const value = claimIn(payload, claim);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** A claim by its name, or by a JSON Pointer (RFC 6901). */
function claimIn(payload: JWTPayload, claim: string): unknown {
  if (!claim.startsWith('/')) return own(payload, claim);
  const parts = claim.slice(1).split('/');
  return parts
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, part) => own(value, part), payload);
}

function own(value: unknown, name: string): unknown {
  const there = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
  return there ? (value as Record<string, unknown>)[name] : undefined;
}
