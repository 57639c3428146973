export { getAgent, listAgents } from './agents.ts';
export { type Claim, type ClaimKey, findClaim } from './claims.ts';
export { getArchivings } from './archivings.ts';
export { countJobs, type JobCounts } from './count-jobs.ts';
export { listDrafts } from './drafts.ts';
export {
  type Feed,
  type FeedEvent,
  getEventsBetween,
  getFeed,
  type Place,
  placeOfNow,
} from './event-feed.ts';
export { getFile } from './files.ts';
export {
  findPending,
  type HeldJob,
  isInputOf,
  jobsHeldBy,
  lossesOf,
  pendingFor,
  pendingIn,
} from './fleet-jobs.ts';
export { getFunction, listFunctions } from './functions.ts';
export { grantsAmong, listGrants, type Subject } from './grants.ts';
export { createdWithoutWorkflow, jobsUnderWay, quietJobs } from './housekeeping.ts';
export { type Change, type Listener, listenForChanges } from './listen.ts';
export { getPool, listPools, poolExists } from './pools.ts';
export { findIdempotent, getEvents, getJob, getJobs, getRevision } from './read-jobs.ts';
export { type JobFilter, type JobListing, type JobSort, listJobs, type Position } from './list-jobs.ts';
export { logsKeptSince } from './log-partitions.ts';
export { getPurged } from './retention.ts';
export { getLogs, type LogFilter } from './read-logs.ts';
export { pendingAmong, type WaitingJob } from './waiting-reasons.ts';
export type {
  AgentRecord,
  AgentStatus,
  Archiving,
  Draft,
  FileRecord,
  FunctionRecord,
  GrantRecord,
  JobRecord,
  LogLine,
  PoolRecord,
  Progress,
  PurgedJob,
  Timestamp,
} from './records.ts';
