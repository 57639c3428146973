/**
 * The zod schemas of the HTTP API: what it takes, what it answers, and the one source of the OpenAPI document.
 * Schema and type share one name.
 */
export {
  Key,
  KeyPage,
  KeyPath,
  KeyQuery,
  KeyRequest,
  Me,
  NewKey,
  NewTenant,
  PageQuery,
  Tenant,
  TenantPage,
  TenantPath,
  TenantRequest,
  User,
  UserPage,
  UserPatch,
  UserPath,
  UserRequest,
} from './schemas/access.ts';
export {
  Agent,
  AgentDetails,
  AgentList,
  AgentPath,
  AgentRequest,
  Pool,
  PoolDetails,
  PoolList,
  PoolMemberPath,
  PoolPath,
  PoolRequest,
} from './schemas/agents.ts';
export { AuditEntry, AuditPage, AuditQuery } from './schemas/audit.ts';
export {
  File,
  FilePath,
  Function,
  FunctionList,
  FunctionPath,
  FunctionRequest,
  SignedQuery,
  SignedUploadQuery,
  SignedUrl,
  SignRequest,
  SignUploadRequest,
  UploadQuery,
} from './schemas/catalogue.ts';
export { Live, Ready } from './schemas/health.ts';
export {
  Batch,
  History,
  HistoryEvent,
  Job,
  JobFile,
  JobPage,
  JobSummary,
  LogLine,
  LogPage,
  StreamedEvent,
  WaitingReason,
} from './schemas/job.ts';
export { ArchiveRequest, JobCounts, JobQuery } from './schemas/list.ts';
export { Problem } from './schemas/problem.ts';
export { AccessEntry, AccessList, FileAccessPath, JobAccessPath, ShareRequest } from './schemas/sharing.ts';
export {
  BatchRequest,
  CancelRequest,
  JobPath,
  levelsFrom,
  JobRequest,
  LogQuery,
  ReassignRequest,
  RerunRequest,
  SubmitQuery,
  Validated,
} from './schemas/submit.ts';
export {
  Assignment,
  BeatRequest,
  ClaimRequest,
  CompleteRequest,
  FailRequest,
  GiveBackRequest,
  Holding,
  Orders,
  ReportRequest,
  ResultFile,
  ResultFileQuery,
} from './schemas/work.ts';
