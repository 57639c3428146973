import { z } from 'zod';
import { eventTypes } from '../transitions.ts';
import { retentionClasses } from '../start.ts';
import { stages, statuses } from '../status.ts';
import { Archiving } from './list.ts';
import { Limits, Validated } from './submit.ts';
import {
  agentId,
  anyObject,
  digest,
  functionName,
  logLevel,
  logStream,
  moment,
  pageOf,
  poolName,
  uuid,
  version,
} from './pieces.ts';
import { JobError, Problem } from './problem.ts';

export const AnsweredStatus = z
  .enum([...statuses, 'UNKNOWN'])
  .describe(
    'COMPLETED, FAILED and CANCELED are final. UNKNOWN: neither Temporal nor the record can tell; ask again',
  )
  .meta({ id: 'JobStatus' });

export const Progress = z
  .strictObject({
    done: z.number().describe('How much is done, in `unit`'),
    total: z.number().nullable().describe('How much there is, if known'),
    unit: z
      .string()
      .nullable()
      .describe('What is counted')
      .meta({ examples: ['rows'] }),
    message: z.string().nullable().describe('What the function says of it'),
  })
  .meta({ id: 'Progress', description: 'How far the function has come, as it reports it' });

const agents = z.int().describe('How many agents offer what the job asks for');

export const WaitingReason = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('scheduled').describe('The job was submitted for later'),
      notBefore: moment,
    }),
    z.strictObject({
      kind: z.literal('no-agent-serves').describe('No agent that is online offers what the job asks for'),
    }),
    z.strictObject({ kind: z.literal('pool-empty').describe('No agent is in the pool'), pool: poolName }),
    z.strictObject({
      kind: z.literal('agent-offline').describe('The agent the job is pinned to is offline'),
      agentId,
    }),
    z.strictObject({
      kind: z.literal('draining').describe('Every agent that offers it takes no more jobs'),
      agents,
    }),
    z.strictObject({
      kind: z
        .literal('not-polled')
        .describe(
          'Agents offer it and have free slots, but Temporal sees none of them ask: mostly, it keeps no more polls open',
        ),
      agents,
    }),
    z.strictObject({
      kind: z.literal('all-busy').describe('Agents offer it, and all their slots are taken'),
      agents,
      backlog: z
        .strictObject({
          jobs: z
            .int()
            .describe('How many jobs wait on the same queue, this one included, as Temporal estimates it'),
          oldestSeconds: z.number().describe('How long the oldest of them has waited'),
        })
        .nullable()
        .describe('Null: Temporal was not asked, or did not answer'),
    }),
  ])
  .meta({ id: 'WaitingReason', description: 'Why a job waits that is PENDING, or CREATED for later' });
export type WaitingReason = z.output<typeof WaitingReason>;

export const JobFile = z
  .strictObject({
    id: uuid,
    name: z.string().meta({ examples: ['predictions.csv'] }),
    mediaType: z.string().meta({ examples: ['text/csv'] }),
    size: z.int().describe('Bytes'),
    sha256: digest,
    links: z.strictObject({ content: z.string().describe('The bytes') }),
  })
  .meta({ id: 'JobFile', description: 'A file that a job brought forth' });

const when = (what: string) => moment.nullable().describe(what);

/** What a job looks like from outside. Every field is named here; a row of the database has more. */
export const Job = z
  .strictObject({
    id: z.string().describe('Also the id of the Temporal workflow'),
    name: z.string().nullable().describe('As given at submit'),
    owner: z
      .string()
      .describe(
        'The id of the user who submitted it; where a service started the workflow itself, what it said',
      ),
    status: AnsweredStatus,
    stage: z.enum(stages).nullable().describe('What is going on: null before the first and after the last'),
    function: z.strictObject({ name: functionName, version: version.nullable() }),
    pool: poolName.nullable().describe('The pool asked for; null: any'),
    agentId: agentId.nullable().describe('The agent that has the job, or had it last'),
    assignedAgentId: agentId.nullable().describe('The agent it is pinned to'),
    attempt: z.int().describe('How many times an agent has taken it'),
    priority: z.int().describe('1 (first) to 5 (last)'),
    labels: z.record(z.string(), z.string()),
    parameters: anyObject.describe('As given at submit'),
    limits: Limits,
    retention: z.enum(retentionClasses).describe('How long it is kept once it has ended'),
    notBefore: when('No agent is asked before this moment'),
    progress: Progress.nullable(),
    output: anyObject.nullable().describe('What the function returned, once COMPLETED'),
    files: z.array(JobFile).describe('The files it brought forth, once COMPLETED'),
    error: JobError.nullable().describe('Why it failed, once FAILED'),
    lastFailure: JobError.nullable().describe(
      'Why the latest try failed, while the function is being retried',
    ),
    nextAttemptAt: when('When the function is tried again'),
    waitingReason: WaitingReason.nullable(),
    cancelRequestedAt: when('When a cancel was asked for'),
    cancelDeliveredAt: when('When the agent learnt of it'),
    cancelDeadlineAt: when('When the agent is given up on, at the latest'),
    cancelForced: z
      .boolean()
      .nullable()
      .describe('Once CANCELED: the function was killed or the agent given up on, or it ended by itself'),
    rerunOf: z.string().nullable().describe('The job that this one runs again'),
    reruns: z.array(z.string()).describe('The jobs that ran this one again: the newest 100, oldest first'),
    createdAt: moment.describe('When it was accepted; microseconds'),
    queuedAt: when('When it last began to wait for an agent'),
    startedAt: when('When an agent first took it'),
    endedAt: when('When it became COMPLETED, FAILED or CANCELED'),
    archivedAt: when(
      'Since when it is in the archive: out of lists that do not ask for it, and readable as before',
    ),
    updatedAt: moment.describe('When anything of it last changed'),
    revision: z.int().describe('Rises with every visible change; the ETag'),
    source: z
      .enum(['workflow', 'record'])
      .describe('Who said so: the workflow itself just now, or the record that it keeps in PostgreSQL'),
    asOf: moment.describe('The answer was true at this moment'),
    links: z.strictObject({
      self: z.string(),
      result: z.string(),
      logs: z.string(),
      history: z.string(),
      events: z.string().describe('The same as a stream'),
      temporal: z.string().nullable().describe('The workflow in the Temporal UI'),
    }),
  })
  .meta({ id: 'Job', description: 'A job: one run of one function on one agent' });
export type Job = z.output<typeof Job>;

const itemStatus = (text: string) => z.int().describe(text);

/** What became of the requests of a batch, in their order. */
export const Batch = z
  .strictObject({
    items: z.array(
      z.union([
        z.strictObject({ status: itemStatus('201: a new job; 200: a repeat'), job: Job }),
        z.strictObject({ status: itemStatus('200: the job would be accepted'), validated: Validated }),
        z.strictObject({ status: itemStatus('As a submit of its own would be answered'), problem: Problem }),
      ]),
    ),
  })
  .meta({ id: 'Batch', description: 'One answer for each request of a batch, in their order' });
export type Batch = z.output<typeof Batch>;

/** In lists: parameters and output may be large, and are left to the job itself. */
export const JobSummary = Job.omit({ parameters: true, output: true }).meta({
  id: 'JobSummary',
  description: 'A job without its parameters and output',
});
export type JobSummary = z.output<typeof JobSummary>;

export const JobPage = pageOf(JobSummary, { id: 'JobPage', description: 'Jobs in the order of the sort' });
export type JobPage = z.output<typeof JobPage>;

export const HistoryEvent = z
  .strictObject({
    seq: z.int().describe('1, 2, 3 … without gaps'),
    type: z.enum(eventTypes),
    at: moment,
    status: z.enum(statuses).describe('The status after the event'),
    attempt: z.int(),
    agentId: z.string().nullable(),
    actor: z
      .string()
      .describe('Who caused it: the id of a user or an agent, `perdure` itself, or what an operator said'),
    message: z.string().nullable(),
    code: z.string().nullable().describe('An error code, where the event is a failure'),
    data: anyObject.nullable(),
  })
  .meta({ id: 'HistoryEvent', description: 'One fact of the life of a job' });

export const History = z
  .strictObject({
    items: z.array(HistoryEvent).describe('What the job went through'),
    archivings: z.array(Archiving).describe('When it was archived and restored, after it had ended'),
  })
  .meta({ id: 'History', description: 'All that happened to a job, in order' });
export type History = z.output<typeof History>;

/** What a stream says of an event: which job, and which revision it has since. */
export const StreamedEvent = HistoryEvent.extend({
  jobId: z.string(),
  revision: z.int().describe('The revision of the job after the event'),
}).meta({ id: 'StreamedEvent', description: 'An event as streams tell it' });
export type StreamedEvent = z.output<typeof StreamedEvent>;

export const LogLine = z
  .strictObject({
    at: moment.describe('Rises strictly within a job; microseconds'),
    attempt: z.int(),
    stream: logStream,
    level: logLevel,
    text: z.string(),
  })
  .meta({ id: 'LogLine', description: 'One line that a job logged' });
export type LogLine = z.output<typeof LogLine>;

export const LogPage = z
  .strictObject({
    items: z.array(LogLine),
    nextSince: moment.nullable().describe('Ask with this `since` for what comes after; null: no line yet'),
    more: z.boolean().describe('Ask at once: there is more, or a search has not looked at all lines yet'),
  })
  .meta({ id: 'LogPage', description: 'Lines of a log, oldest first' });
export type LogPage = z.output<typeof LogPage>;
