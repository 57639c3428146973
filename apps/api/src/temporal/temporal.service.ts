import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PerdureError } from '@perdure/job/errors';
import type { JobState } from '@perdure/job/event';
import { orchestratorQueue } from '@perdure/job/queues';
import type { JobStart } from '@perdure/job/start';
import { jobWorkflowType, startOptions } from '@perdure/workflows/start';
import {
  ActivityNotFoundError,
  Client,
  Connection,
  isGrpcServiceError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from '../deadline.ts';
import { Settings } from '../settings.ts';

/** https://grpc.io/docs/guides/status-codes */
const grpcUnavailable: number = 14;
const grpcResourceExhausted: number = 8;
const retryMs = 100;

/** A poller that has not asked for so long is taken for gone: a long poll lasts a minute at most. */
const pollerFreshMs = 90_000;

/** Every call to Temporal has a deadline, and none is made to wait for a server that is away. */
@Injectable()
export class TemporalService implements OnApplicationShutdown {
  private readonly connection: Connection;
  private readonly client: Client;
  private readonly namespace: string;

  constructor({ config }: Settings) {
    const { address, namespace, apiKey, tls } = config.temporal;
    this.namespace = namespace;
    this.connection = Connection.lazy({
      address,
      ...(tls === undefined ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      // gRPC would wait up to two minutes before it looks again for a server that was away.
      channelArgs: { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1_000 },
      // Its own retries go on after a deadline, and throw where nobody catches once the connection is closed.
      interceptors: [],
    });
    this.client = new Client({ connection: this.connection, namespace });
  }

  /** Starts the workflow of a job. One that is started already is as good. */
  async start(id: string, start: JobStart, budgetMs: number): Promise<void> {
    await this.call(budgetMs, () =>
      this.client.workflow.start(jobWorkflowType, startOptions(id, start)),
    ).catch(ignoreStarted);
  }

  /** What the workflow says of its job. Throws 'not-found' when Temporal does not know it. */
  async status(id: string, budgetMs: number): Promise<JobState> {
    return this.call(budgetMs, () => this.client.workflow.getHandle(id).query<JobState>('status'));
  }

  /** Durable once this returns, whether or not a worker runs. Throws 'not-found' when the workflow is over or unknown. */
  async signal(id: string, name: 'cancel' | 'reassign', payload: object, budgetMs: number): Promise<void> {
    await this.call(budgetMs, () => this.client.workflow.getHandle(id).signal(name, payload));
  }

  /** True when some worker asks for workflow tasks. */
  async hasWorker(budgetMs: number): Promise<boolean> {
    const { pollers } = await this.call(budgetMs, () =>
      this.connection.workflowService.describeTaskQueue({
        namespace: this.namespace,
        taskQueue: { name: orchestratorQueue },
        taskQueueType: 1,
      }),
    );
    return (pollers ?? []).some(
      ({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1_000 < pollerFreshMs,
    );
  }

  /** How long the namespace keeps workflows that are over. */
  async retentionMs(budgetMs: number): Promise<number> {
    const { config } = await this.call(budgetMs, () =>
      this.connection.workflowService.describeNamespace({ namespace: this.namespace }),
    );
    const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
    return seconds === 0 ? Infinity : seconds * 1_000;
  }

  /** Throws 'unavailable' when Temporal, or the namespace, is away. */
  async check(budgetMs: number): Promise<void> {
    await this.call(budgetMs, () =>
      this.connection.workflowService.describeNamespace({ namespace: this.namespace }),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.connection.close();
  }

  /** For what concerns one kind of job or queue only: bounded in time like all the rest. */
  ask<T>(budgetMs: number, ask: (client: Client, namespace: string) => Promise<T>): Promise<T> {
    return this.call(budgetMs, () => ask(this.client, this.namespace));
  }

  private async call<T>(budgetMs: number, ask: () => Promise<T>): Promise<T> {
    const end = Date.now() + budgetMs;
    const giveUp = new AbortController();
    const late = (): PerdureError => new PerdureError('unavailable', 'Temporal does not answer in time');
    try {
      for (;;) {
        try {
          const asked = this.connection.withAbortSignal(giveUp.signal, () =>
            this.connection.withDeadline(end, ask),
          );
          return await withDeadline(asked, Math.max(1, end - Date.now()), late);
        } catch (error) {
          if (!isPassing(error) || Date.now() + retryMs >= end) throw error;
          await delay(retryMs);
        }
      }
    } catch (error) {
      throw toPerdureError(error);
    } finally {
      giveUp.abort();
    }
  }
}

/** A connection that broke or is being made; or more updates at once than one workflow takes. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof ServiceError) || !isGrpcServiceError(error.cause)) return false;
  const code: number = error.cause.code;
  return code === grpcUnavailable || code === grpcResourceExhausted;
}

function toPerdureError(error: unknown): unknown {
  if (error instanceof PerdureError || error instanceof WorkflowExecutionAlreadyStartedError) return error;
  if (error instanceof WorkflowNotFoundError || error instanceof ActivityNotFoundError) {
    return new PerdureError('not-found', 'Temporal does not know it', { cause: error });
  }
  if (error instanceof WorkflowUpdateFailedError) {
    return new PerdureError('transition-refused', error.cause?.message ?? error.message, { cause: error });
  }
  return new PerdureError('unavailable', 'Temporal does not answer', { cause: error });
}

function ignoreStarted(error: unknown): void {
  if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
}
