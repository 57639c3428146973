export type { AuditQuery } from './audit.ts';
export type { AllEventsOptions, EventsOptions, HistoryMessage, JobMessage } from './events.ts';
export type { Download, Result, UploadOptions } from './files.ts';
export type {
  AccessEntry,
  Agent,
  AgentDetails,
  ArchiveRequest,
  AuditEntry,
  AuditPage,
  CancelRequest,
  ErrorCode,
  ErrorDetail,
  File,
  Function,
  HistoryEvent,
  Job,
  JobCounts,
  JobError,
  JobFile,
  JobPage,
  JobRequest,
  JobStatus,
  JobSummary,
  Key,
  KeyRequest,
  LogLine,
  Me,
  NewKey,
  Pool,
  PoolDetails,
  Problem,
  Progress,
  ReassignRequest,
  RerunRequest,
  ShareRequest,
  StreamedEvent,
  Validated,
  WaitingReason,
} from './generated.ts';
export type { LogsOptions } from './logs.ts';
export { type JobFilter, type JobQuery, Perdure, type SubmitOptions } from './perdure.ts';
export { JobNotCompleted, PerdureProblem, PerdureUnreachable } from './problem.ts';
export { isTerminal, type TerminalStatus, terminalStatuses } from './status.ts';
export type { NewJob, Submitted } from './submit-many.ts';
export type { PerdureOptions } from './transport.ts';
export type { UploadProgress } from './uploads.ts';
export type { WaitOptions } from './wait.ts';
