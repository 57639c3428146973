import type { EventType } from '@perdure/job/transitions';
import type { ErrorCode } from '@perdure/job/errors';
import type { JsonObject } from '@perdure/job/json';
import type { JobStart } from '@perdure/job/start';
import type { Status } from '@perdure/job/status';
import type { ColumnType, Generated } from 'kysely';
import type {
  AgentRecord,
  AgentStatus,
  Archiving,
  AuditRecord,
  Draft,
  FileRecord,
  FunctionRecord,
  JobRecord,
  KeyRecord,
  LogLine,
  UploadRecord,
  UserRecord,
  PurgedJob,
} from './records.ts';

/** A jsonb column: read parsed, written as the text that `jsonText` makes. */
type Jsonb<T> = ColumnType<T, string, string>;
/** A column of which the database's clock is the source. */
type Stamped = ColumnType<string, string | undefined, string>;

/** The tables as code sees them: camelCase, times as RFC 3339 with microseconds. */
export type Schema = {
  tenants: { tenantId: string; name: string; createdAt: Generated<string> };
  users: Omit<UserRecord, 'createdAt' | 'revision'> & { createdAt: Stamped; revision: Generated<number> };
  keys: Omit<KeyRecord, 'createdAt'> & { createdAt: Stamped; hash: Buffer };
  functions: Omit<
    FunctionRecord,
    'inputSchema' | 'outputSchema' | 'tool' | 'operatingSystems' | 'registeredAt'
  > & {
    inputSchema: Jsonb<JsonObject>;
    outputSchema: Jsonb<JsonObject> | null;
    tool: Jsonb<NonNullable<FunctionRecord['tool']>> | null;
    operatingSystems: Jsonb<string[]> | null;
    registeredAt: Stamped;
  };
  agents: Omit<AgentRecord, 'functions' | 'tools' | 'pools' | 'lastBeatAt' | 'lastClaimAt' | 'status'> & {
    functions: Jsonb<AgentRecord['functions']>;
    tools: Jsonb<AgentRecord['tools']>;
    lastBeatAt: Stamped;
    lastClaimAt: string | null;
    /** What it said last. */
    status: AgentStatus;
    /** Which process of the agent announced it: a later one takes its place. */
    instance: string | null;
  };
  pools: {
    tenantId: string | null;
    name: string;
    description: string | null;
    createdBy: string | null;
    createdAt: Stamped;
  };
  poolMembers: { tenantId: string | null; pool: string; agentId: string; announced: boolean };
  claims: {
    tenantId: string;
    agentId: string;
    claimId: string;
    jobId: string;
    attempt: number | null;
    madeAt: Stamped;
  };
  drafts: Draft & { tenantId: string; jobId: string; attempt: number; createdAt: Stamped };
  jobs: Omit<JobRecord, 'start'> & {
    /** Without the parameters: they have their own column. */
    start: Omit<JobStart, 'parameters'>;
    lastLogAt: string | null;
    /** The run of the workflow that recorded last. */
    runId: string | null;
  };
  jobEvents: {
    tenantId: string;
    jobId: string;
    seq: number;
    type: EventType;
    at: string;
    status: Status;
    attempt: number;
    agentId: string | null;
    actor: string;
    message: string | null;
    code: ErrorCode | null;
    data: JsonObject | null;
    revision: number;
    written: Generated<string>;
  };
  purgedJobs: PurgedJob & { tenantId: string };
  jobArchivings: Archiving & { tenantId: string; jobId: string };
  jobLogs: LogLine & { tenantId: string; jobId: string };
  files: FileRecord;
  uploads: Omit<UploadRecord, 'createdAt'> & { createdAt: Stamped };
  uploadParts: { tenantId: string; uploadId: string; at: number; id: string };
  storedBytes: { sha256: string; state: 'coming' | 'kept' | 'going' | 'gone'; life: number; since: Stamped };
  idempotencyKeys: {
    tenantId: string;
    caller: string;
    key: string;
    fingerprint: string;
    jobId: string;
    createdAt: Generated<string>;
  };
  auditEntries: AuditRecord & { tenantId: string };
  secrets: { name: string; secret: Buffer };
  requestCounts: { tenantId: string; subject: string; windowStart: number; requests: number };
};
