import { defaultTenantId } from './ids.ts';

export const roles = ['admin', 'operator', 'member', 'agent'] as const;
export type Role = (typeof roles)[number];

/** The roles of users. Each may do all that the one before it may; an agent stands apart. */
export const userRoles = ['member', 'operator', 'admin'] as const;
export type UserRole = (typeof userRoles)[number];

/** What an operation of the HTTP API needs; the guard reads this table and nothing else. */
export const permissions = {
  'jobs.submit': ['admin', 'operator', 'member'],
  'jobs.read': ['admin', 'operator', 'member'],
  'jobs.cancel': ['admin', 'operator', 'member'],
  'jobs.archive': ['admin', 'operator', 'member'],
  'jobs.reassign': ['admin', 'operator'],
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
const ofTheFirstTenant: readonly Permission[] = ['tenants.manage'];

/** Whether somebody with this role in this tenant may do it. */
export function mayDo({ role, tenantId }: { role: Role; tenantId: string }, permission: Permission): boolean {
  if (ofTheFirstTenant.includes(permission) && tenantId !== defaultTenantId) return false;
  return permissions[permission].some((allowed) => allowed === role);
}

export function lowerRole(one: UserRole, other: UserRole): UserRole {
  return userRoles.indexOf(one) < userRoles.indexOf(other) ? one : other;
}
