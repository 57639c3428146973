import { auditOf } from './audit.ts';
import { agentsOf, functionsOf, keysOf, poolsOf } from './catalogue.ts';
import {
  type AllEventsOptions,
  type EventsOptions,
  type HistoryMessage,
  type JobMessage,
  readAllEvents,
  readEvents,
} from './events.ts';
import { filesOf, type Result, resultOf } from './files.ts';
import type * as api from './generated.ts';
import { type LogsOptions, readLogs } from './logs.ts';
import { accessOf } from './sharing.ts';
import { type NewJob, submitMany, type Submitted } from './submit-many.ts';
import { type Call, type Operation, type PerdureOptions, type Signal, Transport } from './transport.ts';
import { waitForEnd, type WaitOptions } from './wait.ts';

export type SubmitOptions = Signal & {
  /** A repeat with the same key makes no second job. Each submit has one of its own without it. */
  idempotencyKey?: string;
  /** Answer with the job once it has ended, after so many seconds (60 at most) at the latest. */
  waitSeconds?: number;
};

/** Changes the job only if it still has this ETag, such as `"7"`: its revision in quotes. */
type Conditional = Signal & { ifMatch?: string };

export type JobQuery = NonNullable<api.ListJobsData['query']>;
export type JobFilter = Omit<JobQuery, 'pageToken'>;

/**
 * A client of Perdure. What is safe to repeat (reading; submits, which have idempotency keys; cancels) is tried again over
 * connections that fail and an API that starts anew. Every method throws `PerdureProblem` where the API refuses,
 * `PerdureUnreachable` where it does not answer, and the reason of `signal` where that is aborted.
 */
export class Perdure {
  /** Who else sees a job. */
  readonly access: ReturnType<typeof accessOf>;
  readonly agents: ReturnType<typeof agentsOf>;
  readonly audit: ReturnType<typeof auditOf>;
  readonly files: ReturnType<typeof filesOf>;
  readonly functions: ReturnType<typeof functionsOf>;
  readonly keys: ReturnType<typeof keysOf>;
  readonly pools: ReturnType<typeof poolsOf>;
  private readonly transport: Transport;

  constructor(options: PerdureOptions) {
    this.transport = new Transport(options);
    this.access = accessOf(this.transport, 'jobs');
    this.agents = agentsOf(this.transport);
    this.audit = auditOf(this.transport);
    this.files = filesOf(this.transport);
    this.functions = functionsOf(this.transport);
    this.keys = keysOf(this.transport);
    this.pools = poolsOf(this.transport);
  }

  /** Once this resolves, the job will reach a terminal state, whatever process dies meanwhile. */
  submit(
    request: NewJob,
    { idempotencyKey = crypto.randomUUID(), waitSeconds, signal }: SubmitOptions = {},
  ): Promise<api.Job> {
    return this.transport.body<api.SubmitJobData, api.Job>('POST', '/v1/jobs', {
      body: request,
      headers: {
        'idempotency-key': idempotencyKey,
        prefer: waitSeconds === undefined ? undefined : `wait=${waitSeconds}`,
      },
      repeatable: true,
      heldSeconds: waitSeconds,
      signal,
    });
  }

  /**
   * Submits any number of jobs, up to 1,000 at once, and tells of each what became of it, in order: one that is refused does not
   * stop the others. They are read and submitted as the answers are asked for. Where this throws or its process dies, call it
   * again with the same `idempotencyKey` and the same requests: no job is made twice.
   */
  submitMany(
    requests: Iterable<NewJob> | AsyncIterable<NewJob>,
    { idempotencyKey = crypto.randomUUID(), signal }: Omit<SubmitOptions, 'waitSeconds'> = {},
  ): AsyncGenerator<Submitted, void> {
    return submitMany(this.transport, requests, { idempotencyKey, signal });
  }

  /** Checks a request as a submit does, and makes no job. */
  validate(request: api.JobRequest, { signal }: Signal = {}): Promise<api.Validated> {
    const call = { body: { ...request, validateOnly: true }, repeatable: true, signal };
    return this.transport.body<api.SubmitJobData, api.Validated>('POST', '/v1/jobs', call);
  }

  /** The job, whatever became of it: its failure is data. */
  get(id: string, { signal }: Signal = {}): Promise<api.Job> {
    return this.transport.body<api.GetJobData, api.Job>('GET', '/v1/jobs/{id}', { path: { id }, signal });
  }

  /** One page of jobs; `nextPageToken` asks for the next. */
  page(query: JobQuery = {}, { signal }: Signal = {}): Promise<api.JobPage> {
    return this.transport.body<api.ListJobsData, api.JobPage>('GET', '/v1/jobs', { query, signal });
  }

  /** All jobs, page by page as they are asked for. */
  async *list(filter: JobFilter = {}, { signal }: Signal = {}): AsyncGenerator<api.JobSummary, void> {
    let pageToken: string | undefined;
    do {
      const { items, nextPageToken } = await this.page({ ...filter, pageToken }, { signal });
      yield* items;
      pageToken = nextPageToken ?? undefined;
    } while (pageToken !== undefined);
  }

  /** For operators: how many jobs of the tenant have each status; of those in the archive only how many they are. */
  counts({ signal }: Signal = {}): Promise<api.JobCounts> {
    return this.transport.body<api.CountJobsData, api.JobCounts>('GET', '/v1/jobs:counts', { signal });
  }

  /** The job once it has ended, whatever became of it and however long that takes: `AbortSignal.timeout()` sets a limit. */
  wait(id: string, options: WaitOptions = {}): Promise<api.Job> {
    return waitForEnd(this.transport, id, options);
  }

  /** All that happened to the job up to now. */
  async history(id: string, { signal }: Signal = {}): Promise<api.HistoryEvent[]> {
    const call = { path: { id }, signal };
    return (await this.transport.body<api.GetHistoryData, api.History>('GET', '/v1/jobs/{id}/history', call))
      .items;
  }

  /** What happens to the job, from its first event (or from after `lastEventId`) to its last, without gap or repeat. */
  events(id: string, options: EventsOptions = {}): AsyncGenerator<JobMessage, void> {
    return readEvents(this.transport, id, options);
  }

  /** For operators: what happens to all jobs of the tenant, from now on (or from after `lastEventId`) and without end, without gap or repeat. */
  allEvents(options: AllEventsOptions = {}): AsyncGenerator<HistoryMessage, void> {
    return readAllEvents(this.transport, options);
  }

  /** What the job logged; with `follow`, until it has ended. */
  logs(id: string, options: LogsOptions = {}): AsyncGenerator<api.LogLine, void> {
    return readLogs(this.transport, id, options);
  }

  /** The result: an output, or a file that streams. Throws `JobNotCompleted` where the job ended without one. */
  result(id: string, options: Signal = {}): Promise<Result> {
    return resultOf(this.transport, id, options);
  }

  /** Asks the agent to stop. The job that comes back may not have ended yet. */
  cancel(id: string, options: api.CancelRequest & Conditional = {}): Promise<api.Job> {
    const repeatable = options.ifMatch === undefined;
    return this.order<api.CancelJobData>('/v1/jobs/{id}:cancel', id, options, { repeatable });
  }

  /** Takes the job from its agent and gives it to another. It is tried once: a repeat would take it from that one. */
  reassign(id: string, options: api.ReassignRequest & Conditional): Promise<api.Job> {
    return this.order<api.ReassignJobData>('/v1/jobs/{id}:reassign', id, options);
  }

  /** Runs a job again that has ended, as a new one, which comes back; `rerunOf` and `reruns` name each other. */
  rerun(
    id: string,
    {
      idempotencyKey = crypto.randomUUID(),
      ...options
    }: api.RerunRequest & Conditional & { idempotencyKey?: string } = {},
  ): Promise<api.Job> {
    const headers = { 'idempotency-key': idempotencyKey };
    return this.order<api.RerunJobData>('/v1/jobs/{id}:rerun', id, options, { repeatable: true, headers });
  }

  /** Takes a job that has ended out of the lists that do not ask for `archived`. Once more changes nothing. */
  archive(id: string, options: api.ArchiveRequest & Conditional = {}): Promise<api.Job> {
    const repeatable = options.ifMatch === undefined;
    return this.order<api.ArchiveJobData>('/v1/jobs/{id}:archive', id, options, { repeatable });
  }

  /** Puts an archived job back. */
  restore(id: string, options: api.ArchiveRequest & Conditional = {}): Promise<api.Job> {
    const repeatable = options.ifMatch === undefined;
    return this.order<api.RestoreJobData>('/v1/jobs/{id}:restore', id, options, { repeatable });
  }

  /** Who is asking, and what this key may do. */
  me({ signal }: Signal = {}): Promise<api.Me> {
    return this.transport.body<api.GetMeData, api.Me>('GET', '/v1/me', { signal });
  }

  private order<O extends Operation>(
    url: O['url'],
    id: string,
    { signal, ifMatch, ...body }: Conditional,
    { headers, repeatable }: Pick<Call<O>, 'headers' | 'repeatable'> = {},
  ): Promise<api.Job> {
    return this.transport.body<O, api.Job>('POST', url, {
      path: { id },
      body,
      headers: { ...headers, 'if-match': ifMatch },
      repeatable,
      signal,
    });
  }
}
