export { drainAgent, resumeAgent } from './agent-orders.ts';
export { type ArchiveOrder, archiveJob } from './archivings.ts';
export { type AuditFilter, dropAudit, enterAudit, listAudit, type NewAuditEntry } from './audit.ts';
export { announceFunctions as registerFunctions } from './functions.ts';
export { putGrant, removeGrant } from './grants.ts';
export {
  createKey,
  ensureAdminKey,
  findKeyByHash,
  findKeyById,
  getKey,
  type KeyHolder,
  type KeySecret,
  listKeys,
  type NewKey,
  revokeKey,
  touchKey,
} from './keys.ts';
export { dropLogPartitions, makeLogPartitions } from './log-partitions.ts';
export { dropIdempotencyKeys, forgetPurged, purgeEnded, type RetentionDays } from './retention.ts';
export { addRequests, dropRequestCounts, type RequestCount } from './request-counts.ts';
export { bytesAreGone, forgetBytes, type GoingBytes, letBytesGo } from './stored-bytes.ts';
export { addToPool, createPool, deletePool, removeFromPool } from './pools.ts';
export { sharedSecret } from './secrets.ts';
export { type SignIn, signIn } from './sign-ins.ts';
export { createTenant, getTenant, listTenants, type NewTenant } from './tenants.ts';
export {
  changeUser,
  createUser,
  findUser,
  getUser,
  listUsers,
  type NewUser,
  type UserChange,
} from './users.ts';
export type { AuditRecord, KeyRecord, TenantRecord, UserRecord } from './records.ts';
