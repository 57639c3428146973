/**
 * The zod schemas of the HTTP API: what it takes, what it answers, and the one source of the OpenAPI document.
 * Schema and type share one name.
 */
export {
  Agent,
  AgentList,
  AgentPath,
  File,
  FilePath,
  Function,
  FunctionList,
  FunctionPath,
  Key,
  KeyList,
  KeyPath,
  KeyRequest,
  Me,
  NewKey,
  UploadQuery,
} from './schemas/catalogue.ts';
export { Live, Ready } from './schemas/health.ts';
export {
  History,
  HistoryEvent,
  Job,
  JobFile,
  JobPage,
  JobSummary,
  LogLine,
  LogPage,
  WaitingReason,
} from './schemas/job.ts';
export { Problem } from './schemas/problem.ts';
export {
  CancelRequest,
  JobPath,
  JobQuery,
  JobRequest,
  LogQuery,
  ReassignRequest,
  SubmitQuery,
  Validated,
} from './schemas/submit.ts';
