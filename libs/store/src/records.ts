import type { ActorKind, AuditOutcome, TargetKind } from '@perdure/job/audit';
import type { ErrorCode, JobError } from '@perdure/job/errors';
import type { JobState, OutputFile } from '@perdure/job/event';
import type { JsonObject } from '@perdure/job/json';
import type { AccessLevel, Role, UserRole } from '@perdure/job/permissions';
import type { Tool, WantedTool } from '@perdure/job/queues';
import type { JobStart, Limits } from '@perdure/job/start';
import type { Status } from '@perdure/job/status';

/**
 * Times are RFC 3339 in UTC. `createdAt` and the `at` of a log line have microseconds, because pages are cut by them;
 * all others have milliseconds, as in `JobEvent.at`.
 */
export type Timestamp = string;

export type Progress = { done: number; total: number | null; unit: string | null; message: string | null };

/** A record of which one time is the database's to tell. */
export type Untimed<T, Field extends keyof T> = Omit<T, Field> & { [field in Field]?: T[field] };

/** A job as the record knows it. */
export type JobRecord = {
  id: string;
  tenantId: string;
  owner: string;
  name: string | null;
  functionName: string;
  functionVersion: string | null;
  pool: string | null;
  assignedAgentId: string | null;
  tool: WantedTool | null;
  operatingSystem: string | null;
  status: Status;
  attempt: number;
  agentId: string | null;
  agentLosses: number;
  /** Whole, unless the job was started directly with `parametersSha256`. */
  parameters: JsonObject;
  parametersSha256: string | null;
  labels: Record<string, string>;
  priority: number;
  limits: Limits;
  output: JsonObject | null;
  files: OutputFile[];
  resultFile: string | null;
  error: JobError | null;
  /** Of the current attempt: the last failed try of the function, and when the next one comes. */
  lastFailure: JobError | null;
  nextAttemptAt: Timestamp | null;
  tryNumber: number | null;
  progress: Progress | null;
  /** While PENDING: why it waits, as it was last seen. */
  waitingReason: JsonObject | null;
  stop: JobState['stop'];
  cancelRequestedAt: Timestamp | null;
  cancelDeliveredAt: Timestamp | null;
  /** Once CANCELED: the function was killed, or the agent given up on. */
  cancelForced: boolean | null;
  /** The jobs that ran this one again: the newest, at most `maxReruns`, oldest first. */
  reruns: string[];
  /** Raised by every visible change. */
  revision: number;
  lastSeq: number;
  /** What the workflow is, or was, started with. */
  start: JobStart;
  createdAt: Timestamp;
  queuedAt: Timestamp | null;
  startedAt: Timestamp | null;
  endedAt: Timestamp | null;
  updatedAt: Timestamp;
  workflowStartedAt: Timestamp | null;
  archivedAt: Timestamp | null;
};

/** The job was put into the archive, or taken out of it. */
export type Archiving = {
  /** The one that the job has since. */
  revision: number;
  kind: 'archived' | 'restored';
  at: Timestamp;
  actor: string;
  reason: string | null;
};

/** What stays known of a job that is no longer kept. */
export type PurgedJob = {
  id: string;
  owner: string;
  functionName: string;
  functionVersion: string | null;
  status: Status;
  createdAt: Timestamp;
  endedAt: Timestamp;
  purgedAt: Timestamp;
};

export type LogLine = {
  at: Timestamp;
  attempt: number;
  stream: 'stdout' | 'stderr' | 'log';
  level: 'debug' | 'info' | 'warn' | 'error';
  text: string;
};

export type FileRecord = {
  id: string;
  tenantId: string;
  owner: string;
  name: string;
  mediaType: string;
  /** Bytes. */
  size: number;
  /** Hex; where the bytes are in storage. */
  sha256: string;
  /** The job that brought it forth. */
  jobId: string | null;
  createdAt: Timestamp;
};

/** An upload in several requests. */
export type UploadRecord = {
  id: string;
  tenantId: string;
  /** Who began it; nobody else goes on with it. */
  owner: string;
  /** As the client sent it: `Upload-Metadata` of tus. */
  metadata: string;
  /** Bytes, as announced. */
  size: number;
  /** Bytes that are durable. All of them: the file `fileId` is there. */
  received: number;
  fileId: string | null;
  createdAt: Timestamp;
  expiresAt: Timestamp;
};

/** `tenantId: null` serves everybody. */
export type FunctionRecord = {
  tenantId: string | null;
  name: string;
  version: string;
  description: string;
  /** JSON Schema 2020-12. */
  inputSchema: JsonObject;
  outputSchema: JsonObject | null;
  /** The name of the file that is the declared result; null where the output is. */
  result: string | null;
  tool: Tool | null;
  operatingSystems: string[] | null;
  registeredAt: Timestamp;
};

export type AgentStatus = 'idle' | 'busy' | 'draining' | 'offline';

/** What an agent says of itself when it starts. `tenantId: null` serves everybody. */
export type Announcement = {
  id: string;
  tenantId: string | null;
  /** `http` agents claim and report through the API. */
  kind: 'native' | 'http';
  displayName: string;
  pools: readonly string[];
  functions: readonly { name: string; version: string }[];
  tools: readonly Tool[];
  operatingSystem: string;
  slots: number;
  softwareVersion: string;
  /** An agent of which nothing is heard for twice as long is offline. */
  leaseSeconds: number;
  startedAt: Timestamp;
};

export type AgentRecord = Announcement & {
  /** Those that it announced, and those that operators have put it in. */
  pools: string[];
  busy: number;
  /** As of now: a silent agent is offline, whatever it said last. */
  status: AgentStatus;
  lastBeatAt: Timestamp;
  lastClaimAt: Timestamp | null;
  /** An operator wants it to take no more jobs. */
  drainRequestedAt: Timestamp | null;
  drainRequestedBy: string | null;
};

export type PoolRecord = {
  tenantId: string | null;
  name: string;
  description: string | null;
  createdBy: string | null;
  createdAt: Timestamp;
  /** The ids of its agents. */
  agentIds: string[];
};

/** A file that an attempt has uploaded and that nobody else can see yet. */
export type Draft = { id: string; name: string; mediaType: string; size: number; sha256: string };

export type TenantRecord = { tenantId: string; name: string; createdAt: Timestamp };

export type UserRecord = {
  id: string;
  tenantId: string;
  kind: 'person' | 'service';
  /** In small letters. */
  email: string | null;
  displayName: string;
  role: UserRole;
  /** The identity provider, and what it calls the user. */
  issuer: string | null;
  subject: string | null;
  /** When the token was issued that last said who this is. */
  claimsAt: Timestamp | null;
  revision: number;
  createdAt: Timestamp;
  disabledAt: Timestamp | null;
};

/** Who did what, and what became of it. */
export type AuditRecord = {
  id: string;
  at: Timestamp;
  actorKind: ActorKind;
  /** The id of the user or agent; of somebody who went to Temporal, what Temporal calls it. */
  actor: string;
  /** null: a token of the identity provider, or not a request. */
  keyId: string | null;
  /** The `operationId` of the request. */
  action: string;
  targetKind: TargetKind | null;
  target: string | null;
  outcome: AuditOutcome;
  /** Why it was refused, or failed. */
  code: ErrorCode | null;
  reason: string | null;
  requestId: string | null;
  address: string | null;
};

/** What a user may do with a job or a file of somebody else. */
export type GrantRecord = {
  userId: string;
  email: string | null;
  displayName: string;
  access: AccessLevel;
  grantedBy: string;
  grantedAt: Timestamp;
  reason: string | null;
};

/** Speaks for either a user or an agent. */
export type KeyRecord = {
  id: string;
  tenantId: string;
  userId: string | null;
  agentId: string | null;
  name: string;
  role: Role;
  prefix: string;
  lastFour: string;
  createdAt: Timestamp;
  expiresAt: Timestamp | null;
  revokedAt: Timestamp | null;
  lastUsedAt: Timestamp | null;
};
