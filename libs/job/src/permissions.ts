import { defaultTenantId } from './ids.ts';

export const roles = ['admin', 'operator', 'member', 'agent'] as const;
export type Role = (typeof roles)[number];

/** The roles of users. Each may do all that the one before it may; an agent stands apart. */
export const userRoles = ['member', 'operator', 'admin'] as const;
export type UserRole = (typeof userRoles)[number];

/** What an operation of the HTTP API needs; the guard reads this table and nothing else. */
export const permissions = {
  // All jobs and files of the tenant, and what tells of all of them, such as counts. To others, what is neither their own nor given to them is not there.
  'jobs.all': ['admin', 'operator'],
  'jobs.submit': ['admin', 'operator', 'member'],
  'jobs.read': ['admin', 'operator', 'member'],
  'jobs.cancel': ['admin', 'operator', 'member'],
  'jobs.archive': ['admin', 'operator', 'member'],
  'jobs.reassign': ['admin', 'operator'],
  // Jobs and files alike: how far, is for what they were given to say.
  'access.read': ['admin', 'operator', 'member'],
  'access.change': ['admin', 'operator', 'member'],
  'files.write': ['admin', 'operator', 'member'],
  // Agents read the inputs of the jobs that they hold.
  'files.read': ['admin', 'operator', 'member', 'agent'],
  'functions.read': ['admin', 'operator', 'member', 'agent'],
  'functions.write': ['admin'],
  'agents.read': ['admin', 'operator', 'member'],
  'agents.manage': ['admin', 'operator'],
  'agents.register': ['admin', 'operator', 'agent'],
  'pools.read': ['admin', 'operator', 'member'],
  'pools.manage': ['admin', 'operator'],
  // What an agent may do with jobs, and with no others than those that it claimed.
  'jobs.work': ['agent'],
  // Keys of one's own.
  'keys.use': ['admin', 'operator', 'member'],
  'keys.manage': ['admin'],
  'users.read': ['admin', 'operator'],
  'users.manage': ['admin'],
  'tenants.read': ['admin'],
  'tenants.manage': ['admin'],
  'audit.read': ['admin'],
  'me.read': ['admin', 'operator', 'member', 'agent'],
  'metrics.read': ['admin', 'operator'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof permissions;

/** Only in the first tenant: whoever has it there runs the installation. */
const ofTheFirstTenant: readonly Permission[] = ['tenants.manage', 'metrics.read'];

/** Whether somebody with this role in this tenant may do it. */
export function mayDo({ role, tenantId }: { role: Role; tenantId: string }, permission: Permission): boolean {
  if (ofTheFirstTenant.includes(permission) && tenantId !== defaultTenantId) return false;
  return permissions[permission].some((allowed) => allowed === role);
}

export function lowerRole(one: UserRole, other: UserRole): UserRole {
  return userRoles.indexOf(one) < userRoles.indexOf(other) ? one : other;
}

/** What a user may do with a job or a file; each may all that the one before may. */
export const accessLevels = ['viewer', 'editor', 'owner'] as const;
export type AccessLevel = (typeof accessLevels)[number];

export function isAtLeast(access: AccessLevel, needed: AccessLevel): boolean {
  return accessLevels.indexOf(access) >= accessLevels.indexOf(needed);
}

/** The most of them; null where there is none. */
export function mostOf(some: readonly AccessLevel[]): AccessLevel | null {
  return accessLevels.findLast((access) => some.includes(access)) ?? null;
}
