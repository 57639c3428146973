import { type UserRole, userRoles } from '@perdure/job/permissions';
import { z } from 'zod';
import { list, optional, text, variable, wholeNumber } from './variable.ts';

/** None of these can be verified with a secret that both sides know. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;
const types = ['at+jwt', 'JWT', 'none'] as const;

const claimName = 'the name of a claim, or a JSON Pointer to one, like /realm_access/roles';
const claim = /^\S{1,200}$/;
/** Keys that sign tokens come over a connection that nobody can change, or not from another machine at all. */
const safeUrl = z.union([
  z.url({ protocol: /^https$/ }),
  z.url({ protocol: /^http$/, hostname: /^(127\.0\.0\.1|\[::1\]|localhost)$/ }),
]);

const rolesForm = 'values of the claim and roles, like perdure-admins=admin,staff=member';
const roleOfValue = z
  .string()
  .transform((words) => words.split(',').map((word) => /^\s*(.+)=(\w+)\s*$/.exec(word)?.slice(1) ?? []))
  .pipe(z.array(z.tuple([z.string(), z.enum(userRoles)])).min(1))
  .transform((pairs) => new Map<string, UserRole>(pairs));

export const oidc = {
  OIDC_ISSUER: optional(text('the issuer of tokens, as their claim iss has it', /^\S+$/)),
  OIDC_AUDIENCE: optional(text('what the claim aud of a token for Perdure names', /^\S+$/)),
  OIDC_JWKS_URL: optional(
    variable(safeUrl, { form: 'the https address of the keys of the provider (http on this machine alone)' }),
  ),
  OIDC_ALGORITHMS: list(z.enum(algorithms), `some of ${algorithms.join(', ')}`, 'RS256,ES256'),
  OIDC_TOKEN_TYPES: list(z.enum(types), `some of ${types.join(', ')}`, 'at+jwt,JWT'),
  OIDC_CLOCK_TOLERANCE_SECONDS: wholeNumber('how far clocks may be apart, in seconds', 0, 300, '30'),
  OIDC_TENANT: text('the name of the tenant of all tokens', /^[a-z][a-z0-9-]{0,62}$/, {
    fallback: 'default',
  }),
  OIDC_TENANT_CLAIM: optional(text(claimName, claim)),
  OIDC_EMAIL_CLAIM: text(claimName, claim, { fallback: 'email' }),
  OIDC_NAME_CLAIM: text(claimName, claim, { fallback: 'name' }),
  OIDC_ROLE_CLAIM: optional(text(claimName, claim)),
  OIDC_ROLES: optional(variable(roleOfValue, { form: rolesForm })),
};

export type OidcConfig = NonNullable<ReturnType<typeof oidcOf>>;

/** Whose tokens are accepted, and what their claims stand for; undefined: nobody's. */
export function oidcOf(env: z.output<z.ZodObject<typeof oidc>>) {
  const { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience, OIDC_JWKS_URL: jwksUrl } = env;
  if (issuer === undefined || audience === undefined || jwksUrl === undefined) return undefined;
  const { OIDC_ROLE_CLAIM: roleClaim, OIDC_ROLES: roles } = env;
  return {
    issuer,
    audience,
    jwksUrl,
    algorithms: env.OIDC_ALGORITHMS,
    types: env.OIDC_TOKEN_TYPES,
    clockToleranceSeconds: env.OIDC_CLOCK_TOLERANCE_SECONDS,
    tenant: env.OIDC_TENANT,
    tenantClaim: env.OIDC_TENANT_CLAIM,
    emailClaim: env.OIDC_EMAIL_CLAIM,
    nameClaim: env.OIDC_NAME_CLAIM,
    /** Absent: the identity provider decides no roles. */
    role: roleClaim === undefined || roles === undefined ? undefined : { claim: roleClaim, roles },
  };
}
