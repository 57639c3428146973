export { getAgent, listAgents, poolExists } from './agents.ts';
export { getFile } from './files.ts';
export { getFunction, listFunctions } from './functions.ts';
export { createdWithoutWorkflow, quietJobs } from './housekeeping.ts';
export { type Change, type Listener, listenForChanges } from './listen.ts';
export {
  findIdempotent,
  getEvents,
  getJob,
  getLogs,
  getRevision,
  type JobFilter,
  listJobs,
} from './read-jobs.ts';
export type {
  AgentRecord,
  AgentStatus,
  FileRecord,
  FunctionRecord,
  JobRecord,
  LogLine,
  Progress,
  Timestamp,
} from './records.ts';
