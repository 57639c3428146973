import { agentsOf, functionsOf, keysOf, poolsOf } from './catalogue.ts';
import { type EventsOptions, type JobMessage, readEvents } from './events.ts';
import { filesOf, type Result, resultOf } from './files.ts';
import type * as api from './generated.ts';
import { type LogsOptions, readLogs } from './logs.ts';
import { type PerdureOptions, Transport } from './transport.ts';
import { waitForEnd, type WaitOptions } from './wait.ts';

type Signal = { signal?: AbortSignal };

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
  readonly agents: ReturnType<typeof agentsOf>;
  readonly files: ReturnType<typeof filesOf>;
  readonly functions: ReturnType<typeof functionsOf>;
  readonly keys: ReturnType<typeof keysOf>;
  readonly pools: ReturnType<typeof poolsOf>;
  private readonly transport: Transport;

  constructor(options: PerdureOptions) {
    this.transport = new Transport(options);
    this.agents = agentsOf(this.transport);
    this.files = filesOf(this.transport);
    this.functions = functionsOf(this.transport);
    this.keys = keysOf(this.transport);
    this.pools = poolsOf(this.transport);
  }

  /** Once this resolves, the job will reach a terminal state, whatever process dies meanwhile. */
  submit(
    request: Omit<api.JobRequest, 'validateOnly'>,
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

  /** What the job logged; with `follow`, until it has ended. */
  logs(id: string, options: LogsOptions = {}): AsyncGenerator<api.LogLine, void> {
    return readLogs(this.transport, id, options);
  }

  /** The result: an output, or a file that streams. Throws `JobNotCompleted` where the job ended without one. */
  result(id: string, options: Signal = {}): Promise<Result> {
    return resultOf(this.transport, id, options);
  }

  /** Asks the agent to stop. The job that comes back may not have ended yet. */
  cancel(
    id: string,
    { signal, ifMatch, ...request }: api.CancelRequest & Conditional = {},
  ): Promise<api.Job> {
    return this.transport.body<api.CancelJobData, api.Job>('POST', '/v1/jobs/{id}:cancel', {
      path: { id },
      body: request,
      headers: { 'if-match': ifMatch },
      repeatable: ifMatch === undefined,
      signal,
    });
  }

  /** Takes the job from its agent and gives it to another. It is tried once: a repeat would take it from that one. */
  reassign(id: string, { signal, ifMatch, ...request }: api.ReassignRequest & Conditional): Promise<api.Job> {
    return this.transport.body<api.ReassignJobData, api.Job>('POST', '/v1/jobs/{id}:reassign', {
      path: { id },
      body: request,
      headers: { 'if-match': ifMatch },
      signal,
    });
  }

  /** Who is asking, and what this key may do. */
  me({ signal }: Signal = {}): Promise<api.Me> {
    return this.transport.body<api.GetMeData, api.Me>('GET', '/v1/me', { signal });
  }
}
