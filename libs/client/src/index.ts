export type { EventsOptions, JobMessage } from './events.ts';
export type { Download, Result } from './files.ts';
export type {
  Agent,
  AgentDetails,
  CancelRequest,
  ErrorCode,
  ErrorDetail,
  File,
  Function,
  HistoryEvent,
  Job,
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
  StreamedEvent,
  Validated,
  WaitingReason,
} from './generated.ts';
export type { LogsOptions } from './logs.ts';
export { type JobFilter, type JobQuery, Perdure, type SubmitOptions } from './perdure.ts';
export { JobNotCompleted, PerdureProblem, PerdureUnreachable } from './problem.ts';
export { isTerminal, type TerminalStatus, terminalStatuses } from './status.ts';
export type { PerdureOptions } from './transport.ts';
export type { WaitOptions } from './wait.ts';
