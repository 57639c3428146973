import { z } from 'zod';
import { maxGraceSeconds } from '../commands.ts';
import { maxAheadDays, maxLimitSeconds, retentionClasses } from '../start.ts';
import { stages } from '../status.ts';
import {
  agentId,
  anyObject,
  functionName,
  jobId,
  logLevel,
  logStream,
  poolName,
  queryBoolean,
  queryInteger,
  queryList,
  systemName,
  text,
  uuid,
  version,
  wantedTool,
} from './pieces.ts';

const seconds = z.number().min(0.001).max(maxLimitSeconds);

export const Limits = z
  .strictObject({
    queueSeconds: seconds.optional().describe('Longest wait for an agent, in seconds, each time'),
    runSeconds: seconds.optional().describe('Longest run on one agent, in seconds'),
    totalSeconds: seconds
      .optional()
      .describe('Longest life, from submit (or `notBefore`, where that is later) to end, in seconds'),
  })
  .meta({ id: 'Limits', description: 'Time limits; a job that exceeds one ends as FAILED' });

/** The same words as the start argument of the workflow. */
export const JobRequest = z
  .strictObject({
    id: uuid.optional().describe('Choose the id yourself, and a repeat cannot make a second job'),
    name: text(200).optional().describe('For people'),
    function: functionName,
    version: version.optional().describe('Which version; the newest without it'),
    parameters: anyObject.optional().describe('What the function takes; see GET /v1/functions'),
    labels: z
      .record(text(100), text(200))
      .refine((labels) => Object.keys(labels).length <= 50, 'has at most 50 entries')
      .optional()
      .describe('Your own names and values, at most 50')
      .meta({ maxProperties: 50 }),
    pool: poolName.optional().describe('Only agents of this pool'),
    assignedAgentId: agentId.optional().describe('Only this agent; the job waits for it'),
    tool: wantedTool.optional().describe('Only agents that have this tool'),
    operatingSystem: systemName.optional().describe('Only agents that run on it'),
    priority: z.int().min(1).max(5).optional().describe('1 (first) to 5 (last), 3 without it'),
    limits: Limits.optional(),
    notBefore: z.iso
      .datetime({ offset: true, error: 'is a moment like 2026-11-22T05:00:00Z, with its zone' })
      .optional()
      .describe(`Asks no agent before this moment, at most ${maxAheadDays} days ahead; in the past: at once`),
    retention: z
      .enum(retentionClasses)
      .optional()
      .describe('How long the job is kept once it has ended; `standard` without it'),
    maxAgentLosses: z.int().min(0).max(100).optional().describe('So many agents may be lost; 3 without it'),
    validateOnly: z.boolean().optional().describe('Check it all, and make no job'),
  })
  .meta({
    id: 'JobRequest',
    description: 'What a job is to do',
    examples: [{ function: 'sleep', parameters: { seconds: 2 }, labels: { team: 'north' } }],
  });
export type JobRequest = z.output<typeof JobRequest>;

export const SubmitQuery = z.strictObject({
  validateOnly: queryBoolean.optional().describe('Check it all, and make no job'),
});
export type SubmitQuery = z.output<typeof SubmitQuery>;

/** Each request is held against its schema by itself, so that a bad one does not stop the others. */
export const BatchRequest = z
  .strictObject({
    requests: z
      .array(z.unknown().meta({ $ref: '#/components/schemas/JobRequest' }))
      .min(1)
      .max(1_000)
      .describe('What the jobs are to do'),
  })
  .meta({
    id: 'BatchRequest',
    description: 'Jobs to submit together',
    examples: [{ requests: [{ function: 'echo' }, { function: 'sleep', parameters: { seconds: 2 } }] }],
  });
export type BatchRequest = z.output<typeof BatchRequest>;

/** What `validateOnly` answers. */
export const Validated = z
  .strictObject({ valid: z.literal(true), function: z.strictObject({ name: functionName, version }) })
  .meta({ id: 'Validated', description: 'The request would be accepted, and this version would run it' });
export type Validated = z.output<typeof Validated>;

const reason = text(1_000).optional().describe('For the history');
const graceSeconds = z
  .number()
  .min(0)
  .max(maxGraceSeconds)
  .optional()
  .describe('How many seconds the function gets to clean up; 10 without it');

export const CancelRequest = z
  .strictObject({
    reason,
    graceSeconds,
    mode: z.enum(['graceful', 'force']).optional().describe('`force` gives the function no time'),
  })
  .prefault({})
  .meta({ id: 'CancelRequest', description: 'How to cancel; an empty body will do' });
export type CancelRequest = z.output<typeof CancelRequest>;

export const ReassignRequest = z
  .strictObject({
    agentId: agentId.optional(),
    pool: poolName.optional(),
    anyone: z.literal(true).optional().describe('Any agent that offers the function'),
    reason,
    graceSeconds,
  })
  .refine(
    ({ agentId, pool, anyone }) => [agentId, pool, anyone].filter((one) => one !== undefined).length === 1,
    'name exactly one of agentId, pool, anyone',
  )
  .meta({
    id: 'ReassignRequest',
    description: 'Who is to run the job instead: exactly one of `agentId`, `pool`, `anyone`',
    oneOf: [{ required: ['agentId'] }, { required: ['pool'] }, { required: ['anyone'] }],
    examples: [{ anyone: true, reason: 'the agent is slow' }],
  });
export type ReassignRequest = z.output<typeof ReassignRequest>;

export const RerunRequest = z
  .strictObject({
    from: z
      .enum(stages)
      .optional()
      .describe(
        'The first stage that is run again; all without it. `execute` leaves out the deeper check of the function, if the job has passed it. What a function produced is not kept until it is stored, so there is nothing to `upload` from',
      ),
  })
  .prefault({})
  .meta({ id: 'RerunRequest', description: 'How to run a job again; an empty body will do' });
export type RerunRequest = z.output<typeof RerunRequest>;

export const JobPath = z.strictObject({ id: jobId });
export type JobPath = z.output<typeof JobPath>;

export const LogQuery = z.strictObject({
  since: z.iso.datetime().optional().describe('Only lines after this moment (exclusive); microseconds count'),
  limit: queryInteger(1, 10_000)
    .optional()
    .describe('How many lines at most; 1000 without it as JSON, else all; not with `follow`'),
  follow: queryBoolean.optional().describe('Stream lines until the job ends'),
  attempt: queryInteger(1, 1_000_000).optional().describe('Only lines of this attempt'),
  stream: queryList(logStream).optional().describe('Only lines of these streams'),
  level: logLevel.optional().describe('Only lines of this level, or a graver one'),
  q: text(200).optional().describe('Only lines that contain this, in capitals or not'),
});
export type LogQuery = z.output<typeof LogQuery>;

/** A level and the graver ones. */
export function levelsFrom(level: z.output<typeof logLevel>): z.output<typeof logLevel>[] {
  return logLevel.options.slice(logLevel.options.indexOf(level));
}
