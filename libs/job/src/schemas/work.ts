import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { reportableStatuses } from '../status.ts';
import { AnsweredStatus, JobFile, LogLine, Progress } from './job.ts';
import {
  agentId,
  anyObject,
  fileName,
  functionName,
  jobId,
  moment,
  queryInteger,
  text,
  uuid,
  version,
} from './pieces.ts';

/** What HTTP agents say, and what they are told. */

const attempt = z.int().min(1).describe('Which attempt speaks: as answered to the claim');
const claimId = text(100)
  .regex(/^[\w.-]+$/, 'is letters, digits, dots, underscores and dashes')
  .optional()
  .describe(
    'Chosen by the agent: a repeat with the same one answers with the same job, should the first answer be lost',
  );

export const ClaimRequest = z
  .strictObject({
    claimId,
    jobId: jobId.optional().describe('This very job and no other'),
    waitSeconds: z.number().min(0).max(60).optional().describe('How long to wait for a job; 0 without it'),
  })
  .prefault({})
  .meta({
    id: 'ClaimRequest',
    description: 'Asks for a job',
    examples: [{ claimId: 'c-0001', waitSeconds: 30 }],
  });
export type ClaimRequest = z.output<typeof ClaimRequest>;

const Stop = z
  .strictObject({
    kind: z.enum(['cancel', 'reassign']),
    mode: z.enum(['graceful', 'force']),
    graceSeconds: z.number().describe('How long the function may take to clean up'),
    deadlineAt: moment.describe('The agent is given up on at this moment'),
    reason: z.string().nullable(),
    by: z.string().nullable(),
  })
  .meta({ id: 'Stop', description: 'The agent is to stop, and then to give the job back' });

export const Holding = z
  .strictObject({
    id: z.string(),
    attempt: z.int(),
    status: AnsweredStatus,
    leaseSeconds: z.number().describe('The next word is awaited within so many seconds'),
    stop: Stop.nullable(),
  })
  .meta({ id: 'Holding', description: 'How a job stands that an agent holds' });
export type Holding = z.output<typeof Holding>;

export const Assignment = Holding.extend({
  function: z.strictObject({ name: functionName, version }),
  parameters: anyObject,
  files: z
    .array(
      JobFile.extend({ pointer: z.string().describe('Where it stands: a JSON Pointer into the parameters') }),
    )
    .describe('The files among the parameters'),
  runSeconds: z.number().nullable().describe('The longest that it may run; null: a day'),
  links: z.strictObject({
    reports: z.string(),
    files: z.string(),
    complete: z.string(),
    fail: z.string(),
    giveBack: z.string(),
  }),
}).meta({
  id: 'Assignment',
  description: 'A job that the agent has just taken, with all it needs to run it',
});
export type Assignment = z.output<typeof Assignment>;

const line = z.strictObject({
  at: moment.optional().describe('Now without it'),
  stream: LogLine.shape.stream.optional().describe('`log` without it'),
  level: LogLine.shape.level.optional().describe('`info` without it'),
  text: z.string().max(32_768),
});

export const ReportRequest = z
  .strictObject({
    attempt,
    status: z.enum(reportableStatuses).optional().describe('How far it is; nothing goes back'),
    progress: Progress.partial({ total: true, unit: true, message: true }).optional(),
    logs: z.array(line).max(1_000).optional().describe('Oldest first'),
  })
  .meta({
    id: 'ReportRequest',
    description: 'What the agent has to say of its job. Each report renews the lease',
    examples: [
      { attempt: 1, status: 'RUNNING', progress: { done: 3, total: 10 }, logs: [{ text: 'begun' }] },
    ],
  });
export type ReportRequest = z.output<typeof ReportRequest>;

export const CompleteRequest = z
  .strictObject({
    attempt,
    output: anyObject.optional().describe('What the function returned'),
    result: text(200)
      .optional()
      .describe('Which of the uploaded files is the result; as the function declares without it'),
  })
  .meta({ id: 'CompleteRequest', examples: [{ attempt: 1, output: { words: 3 } }] });
export type CompleteRequest = z.output<typeof CompleteRequest>;

const failures = [
  'execution-failed',
  'invalid-input',
  'invalid-model',
  'output-invalid',
  'resource-limit',
] as const satisfies readonly ErrorCode[];

export const FailRequest = z
  .strictObject({
    attempt,
    code: z.enum(failures).optional().describe('`execution-failed` without it'),
    detail: text(4_000).describe('What happened, for people'),
  })
  .meta({ id: 'FailRequest', examples: [{ attempt: 1, detail: 'the input has no column price' }] });
export type FailRequest = z.output<typeof FailRequest>;

export const GiveBackRequest = z.strictObject({ attempt, reason: text(1_000).optional() }).meta({
  id: 'GiveBackRequest',
  description: 'The agent lets go; also its answer to `stop`',
  examples: [{ attempt: 1 }],
});
export type GiveBackRequest = z.output<typeof GiveBackRequest>;

export const BeatRequest = z
  .strictObject({
    jobs: z
      .array(z.strictObject({ id: jobId, attempt }))
      .max(1_000)
      .optional()
      .describe('The jobs whose lease is renewed as well'),
  })
  .prefault({})
  .meta({ id: 'BeatRequest', examples: [{ jobs: [] }] });
export type BeatRequest = z.output<typeof BeatRequest>;

export const Orders = z
  .strictObject({
    agentId,
    draining: z.boolean().describe('An operator wants it to take no more jobs'),
    jobs: z.array(Holding).describe('The jobs named, as far as the agent still holds them'),
    lost: z
      .array(z.strictObject({ id: z.string(), attempt: z.int() }))
      .describe('Those named that it does not: stop them'),
  })
  .meta({ id: 'Orders', description: 'What is wanted of an agent' });
export type Orders = z.output<typeof Orders>;

export const ResultFileQuery = z.strictObject({
  name: fileName.optional().describe('The name of the file; or by Content-Disposition'),
  attempt: queryInteger(1, 999_999_999).describe('As answered to the claim'),
});
export type ResultFileQuery = z.output<typeof ResultFileQuery>;

export const ResultFile = JobFile.omit({ links: true }).extend({ id: uuid }).meta({
  id: 'ResultFile',
  description: 'A file of an attempt. It becomes a file of the job when the job is completed',
});
export type ResultFile = z.output<typeof ResultFile>;
