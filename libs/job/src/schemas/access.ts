import { z } from 'zod';
import { type Permission, permissions, roles, userRoles } from '../permissions.ts';
import { agentId, moment, pageOf, pageSize, pageToken, text, uuid } from './pieces.ts';

const role = z.enum(roles).describe('What the key may do');
const userRole = z.enum(userRoles).describe('What the user, and each of its keys, may do at most');
const displayName = text(200).describe('How people call it');
export const email = z
  .email({
    error: 'is an e-mail address',
    // RFC 5321, 4.5.3.1.1: at most 64 characters before the @.
    pattern: new RegExp(`^(?=[^@]{1,64}@)${z.regexes.email.source.slice(1)}`),
  })
  .max(254)
  .toLowerCase()
  .describe('Kept in small letters; one user of a tenant has it')
  .meta({ examples: ['ada@example.com'] });

export const UserPath = z.strictObject({ id: uuid });
export type UserPath = z.output<typeof UserPath>;

export const UserRequest = z
  .strictObject({
    kind: z.enum(['person', 'service']).default('person').describe('A service account has no e-mail address'),
    email: email.optional(),
    displayName,
    role: userRole.default('member'),
  })
  .refine(({ kind, email: given }) => (kind === 'person') === (given !== undefined), {
    path: ['email'],
    message: 'is needed for a person, and a service account has none',
  })
  .meta({
    id: 'UserRequest',
    oneOf: [
      { properties: { kind: { const: 'person' } }, required: ['email'] },
      { properties: { kind: { const: 'service' } }, required: ['kind'], not: { required: ['email'] } },
    ],
    examples: [{ email: 'ada@example.com', displayName: 'Ada', role: 'member' }],
  });
export type UserRequest = z.output<typeof UserRequest>;

export const UserPatch = z
  .strictObject({
    displayName: displayName.optional(),
    role: userRole.optional(),
    disabled: z.boolean().optional().describe('`true`: nothing that stands for the user works any more'),
  })
  .meta({ id: 'UserPatch', description: 'What is left out stays', examples: [{ disabled: true }] });
export type UserPatch = z.output<typeof UserPatch>;

export const User = z
  .strictObject({
    id: uuid.describe('Also the `owner` of its jobs, and the `actor` of what it does'),
    kind: z.enum(['person', 'service']),
    email: z.string().nullable(),
    displayName: z.string(),
    role: userRole,
    issuer: z.string().nullable().describe('The identity provider that its tokens come from, if any'),
    createdAt: moment,
    disabledAt: moment.nullable().describe('Since when nothing that stands for it works'),
    revision: z.int().describe('Rises with every change; the ETag'),
  })
  .meta({ id: 'User', description: 'A person or a service account of a tenant' });
export type User = z.output<typeof User>;

const page = { pageSize, pageToken: pageToken.optional() };

export const PageQuery = z.strictObject(page);
export type PageQuery = z.output<typeof PageQuery>;

export const UserPage = pageOf(User, { id: 'UserPage', description: 'Users, newest first' });
export type UserPage = z.output<typeof UserPage>;

export const KeyRequest = z
  .strictObject({
    name: text(100).describe('What the key is for'),
    userId: uuid.optional().describe('The user it speaks for; without it, and without `agentId`, the caller'),
    agentId: agentId.optional().describe('The key speaks for this agent only; its role is `agent`'),
    role: role
      .optional()
      .describe(
        'At most that of the user. Without it: that of the user `userId`; `member` for a key of one’s own; `agent` with `agentId`',
      ),
    expiresAt: z.iso.datetime().optional().describe('When it stops working; never without it'),
  })
  .refine(({ userId, agentId: agent }) => userId === undefined || agent === undefined, {
    path: ['agentId'],
    message: 'and userId are two: a key speaks for one of them',
  })
  .meta({
    id: 'KeyRequest',
    not: { required: ['userId', 'agentId'] },
    examples: [{ name: 'nightly import', role: 'member' }],
  });
export type KeyRequest = z.output<typeof KeyRequest>;

export const KeyQuery = z.strictObject({
  ...page,
  userId: uuid.optional().describe('Only keys of this user'),
});
export type KeyQuery = z.output<typeof KeyQuery>;

export const Key = z
  .strictObject({
    id: uuid,
    name: z.string(),
    role,
    userId: uuid.nullable().describe('The user it speaks for'),
    agentId: agentId.nullable().describe('The agent it speaks for'),
    prefix: z.string().describe('How the key begins'),
    lastFour: z.string().describe('How the key ends'),
    createdAt: moment,
    expiresAt: moment.nullable(),
    revokedAt: moment.nullable(),
    lastUsedAt: moment.nullable().describe('To the minute'),
  })
  .meta({ id: 'Key', description: 'An API key, without its secret' });
export type Key = z.output<typeof Key>;

export const NewKey = Key.extend({ key: z.string().describe('The key itself. It is shown this once') }).meta({
  id: 'NewKey',
  description: 'An API key that was just made',
});
export type NewKey = z.output<typeof NewKey>;

export const KeyPage = pageOf(Key, { id: 'KeyPage', description: 'API keys, newest first' });
export type KeyPage = z.output<typeof KeyPage>;

export const KeyPath = z.strictObject({ id: uuid });
export type KeyPath = z.output<typeof KeyPath>;

const tenantName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'is the name of a tenant: small letters, digits, dashes')
  .meta({ examples: ['north'] });

export const TenantPath = z.strictObject({ id: uuid });
export type TenantPath = z.output<typeof TenantPath>;

export const TenantRequest = z
  .strictObject({ name: tenantName, admin: z.strictObject({ email, displayName }) })
  .meta({
    id: 'TenantRequest',
    examples: [{ name: 'north', admin: { email: 'ada@example.com', displayName: 'Ada' } }],
  });
export type TenantRequest = z.output<typeof TenantRequest>;

export const Tenant = z
  .strictObject({ id: uuid, name: z.string(), createdAt: moment })
  .meta({ id: 'Tenant', description: 'Users, agents and jobs that no other tenant knows of' });
export type Tenant = z.output<typeof Tenant>;

export const NewTenant = Tenant.extend({ admin: User, key: NewKey }).meta({
  id: 'NewTenant',
  description: 'A tenant that was just made, with its first admin and that admin’s key',
});
export type NewTenant = z.output<typeof NewTenant>;

export const TenantPage = pageOf(Tenant, { id: 'TenantPage', description: 'Tenants, newest first' });
export type TenantPage = z.output<typeof TenantPage>;

export const Me = z
  .strictObject({
    tenantId: uuid,
    tenantName: z.string(),
    user: User.nullable().describe('The user that the key or token speaks for'),
    agentId: agentId.nullable().describe('The agent that the key speaks for'),
    keyId: uuid.nullable().describe('The API key; null: a token of the identity provider'),
    name: z.string().describe('The name of the key; with a token, of the user'),
    role: z.enum(roles).describe('What counts now: the lower one of the key’s or token’s, and the user’s'),
    expiresAt: moment.nullable(),
    permissions: z.array(z.enum(Object.keys(permissions) as [Permission, ...Permission[]])),
  })
  .meta({ id: 'Me', description: 'Who is asking, and what it may do' });
export type Me = z.output<typeof Me>;
