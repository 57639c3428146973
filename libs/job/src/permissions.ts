export const roles = ['admin', 'operator', 'member', 'agent'] as const;
export type Role = (typeof roles)[number];

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
  'keys.manage': ['admin'],
  'me.read': ['admin', 'operator', 'member', 'agent'],
  'metrics.read': ['admin', 'operator'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof permissions;

export function mayDo(role: Role, permission: Permission): boolean {
  return permissions[permission].some((allowed) => allowed === role);
}
