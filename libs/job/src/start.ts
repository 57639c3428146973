import type { Parsed } from './commands.ts';
import { defaultTenantId, patterns } from './ids.ts';
import { isDeeperThan, isJsonObject, type JsonObject, maxDepth } from './json.ts';
import type { WantedTool } from './queues.ts';

/** Parameters larger than this (bytes of JSON) travel as a reference to storage. */
export const maxInlineBytes = 64 * 1024;

export type Limits = {
  /** Longest wait for an agent, per time in the queue. */
  queueSeconds?: number;
  /** Longest run on one agent, from claim to end of `execute`. */
  runSeconds?: number;
  /** Longest life, from submit, or `notBefore` where that is later, to end. */
  totalSeconds?: number;
};

/** How long a job is kept once it has ended: so many days as the operator gives each class; `forever` is not purged at all. */
export const retentionClasses = ['short', 'standard', 'long', 'forever'] as const;
export type RetentionClass = (typeof retentionClasses)[number];
export const defaultRetention: RetentionClass = 'standard';

export const defaultRunSeconds = 24 * 3600;
export const maxLimitSeconds = 30 * 24 * 3600;
/** How far ahead of its submit a job may be due. */
export const maxAheadDays = 366;

/** What the workflow `job` is started with. Small: large parameters and all files travel as references to storage. */
export type JobStart = {
  tenantId: string;
  owner: string;
  function: string;
  /** Absent only in a direct start: `admit` then looks up the newest. */
  version?: string;
  parameters: JsonObject;
  /** Where `parameters` are, when they are too large to travel (SHA-256, hex). `parameters` is then empty. */
  parametersSha256?: string;
  name?: string;
  labels: Record<string, string>;
  pool?: string;
  /** Pinned to this agent. */
  assignedAgentId?: string;
  tool?: WantedTool;
  operatingSystem?: string;
  /** 1 (first) to 5 (last). */
  priority: number;
  limits: Limits;
  /** No agent is asked before this moment (RFC 3339 with its zone). In the past: at once. */
  notBefore?: string;
  /** The job that this one runs again. */
  rerunOf?: string;
  /** True when that job has passed the deeper check of the function, which is then left out. */
  validated?: boolean;
  /** `standard` without it. */
  retention?: RetentionClass;
  /** So many agents may be lost; the next loss ends the job. */
  maxAgentLosses: number;
  /** A run of the workflow is continued as new when its history has more events than this. */
  historyEvents: number;
  /** True when the API has checked all this and has written the row. */
  admitted: boolean;
};

const defaults = {
  tenantId: defaultTenantId,
  owner: 'temporal',
  parameters: {},
  labels: {},
  priority: 3,
  limits: {},
  maxAgentLosses: 3,
  historyEvents: 2_000,
  admitted: false,
} satisfies Partial<JobStart>;

type Rule = { holds: (value: unknown) => boolean; form: string };

const rules: Record<keyof JobStart, Rule> = {
  tenantId: { holds: matches(patterns.uuid), form: 'a UUID' },
  owner: { holds: isText(200), form: 'a text of at most 200 characters' },
  function: { holds: matches(patterns.name), form: 'the name of a function' },
  version: { holds: matches(patterns.version), form: 'like 1.0.0' },
  parameters: {
    holds: (value) => isJsonObject(value) && !isDeeperThan(value, maxDepth),
    form: `an object, nested at most ${maxDepth} deep`,
  },
  parametersSha256: { holds: matches(/^[0-9a-f]{64}$/), form: 'a SHA-256 in hex' },
  name: { holds: isText(200), form: 'a text of at most 200 characters' },
  labels: {
    holds: isLabels,
    form: 'an object of at most 50 texts (names up to 100, values up to 200 characters)',
  },
  pool: { holds: matches(patterns.pool), form: 'the name of a pool' },
  assignedAgentId: { holds: matches(patterns.agentId), form: 'the id of an agent' },
  tool: { holds: isTool, form: '{name, version?}' },
  operatingSystem: { holds: matches(patterns.name), form: 'a name like linux' },
  priority: {
    holds: (value) => isNumber(value, 1, 5) && Number.isInteger(value),
    form: 'a whole number from 1 (first) to 5 (last)',
  },
  limits: {
    holds: isLimits,
    form: `{queueSeconds?, runSeconds?, totalSeconds?}, each above 0 and at most ${maxLimitSeconds}`,
  },
  notBefore: { holds: isMoment, form: 'a moment like 2026-11-22T05:00:00Z, with its zone' },
  rerunOf: { holds: matches(patterns.jobId), form: 'the id of a job' },
  validated: { holds: isBoolean, form: 'true or false' },
  retention: { holds: isRetentionClass, form: `one of ${retentionClasses.join(', ')}` },
  maxAgentLosses: { holds: (value) => isNumber(value, 0, 100), form: 'a number from 0 to 100' },
  historyEvents: { holds: (value) => isNumber(value, 10, 10_000), form: 'a number from 10 to 10000' },
  admitted: { holds: isBoolean, form: 'true or false' },
};

/**
 * Reads the start argument. A backend service that starts the workflow itself needs only `{function, parameters?}`;
 * all else has defaults. Never throws: what cannot be understood ends as a recorded FAILED job.
 */
export function parseStart(argument: unknown): Parsed<JobStart> {
  if (!isJsonObject(argument))
    return { ok: false, message: 'the start argument is an object {function, parameters?, …}' };
  for (const [field, value] of Object.entries(argument)) {
    if (!isField(field))
      return {
        ok: false,
        message: `unknown field '${field.slice(0, 50)}'; known are ${Object.keys(rules).join(', ')}`,
      };
    if (!rules[field].holds(value)) return { ok: false, message: `${field} is ${rules[field].form}` };
  }
  if (argument['function'] === undefined)
    return { ok: false, message: 'function is missing: name the function to run' };
  // Every field was held against its rule just now, and all that are required have a value.
  return { ok: true, value: { ...defaults, ...argument } as unknown as JobStart };
}

/** True when a job that is accepted at `now` (milliseconds) may not wait so long. */
export function isTooFarAhead(notBefore: string, now: number): boolean {
  return Date.parse(notBefore) > now + maxAheadDays * 24 * 3_600_000;
}

function isField(field: string): field is keyof JobStart {
  return Object.hasOwn(rules, field);
}

function matches(pattern: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === 'string' && pattern.test(value);
}

/** RFC 3339, of which JavaScript reads all but a second 60. */
function isMoment(value: unknown): boolean {
  return (
    matches(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/)(value) &&
    !Number.isNaN(Date.parse(String(value)))
  );
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isRetentionClass(value: unknown): boolean {
  return retentionClasses.some((one) => one === value);
}

function isText(length: number): (value: unknown) => boolean {
  return (value) => typeof value === 'string' && value.length > 0 && value.length <= length;
}

function isLabels(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const entries = Object.entries(value);
  return entries.length <= 50 && entries.every(([key, text]) => isText(100)(key) && isText(200)(text));
}

function isTool(value: unknown): boolean {
  return (
    isJsonObject(value) &&
    matches(patterns.toolName)(value['name']) &&
    (value['version'] === undefined || matches(patterns.toolVersion)(value['version'])) &&
    Object.keys(value).every((key) => key === 'name' || key === 'version')
  );
}

function isLimits(value: unknown): boolean {
  return (
    isJsonObject(value) &&
    Object.entries(value).every(
      ([key, seconds]) =>
        ['queueSeconds', 'runSeconds', 'totalSeconds'].includes(key) &&
        isNumber(seconds, 0.001, maxLimitSeconds),
    )
  );
}

function isNumber(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}
