import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What Prometheus is told. A registry of its own: several apps may live in one process. */
@Injectable()
export class Metrics {
  private readonly registry = new Registry();
  private readonly requests = new Histogram({
    name: 'perdure_http_request_duration_seconds',
    help: 'From the first byte of the request to the last of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers: [this.registry],
  });
  private readonly queries = new Counter({
    name: 'perdure_status_queries_total',
    help: 'Queries for the state of a workflow: answered, silent (nothing in time), gone, spared (by the breaker)',
    labelNames: ['outcome'],
    registers: [this.registry],
  });
  private readonly querySeconds = new Histogram({
    name: 'perdure_status_query_duration_seconds',
    help: 'How long workflows took to say their state',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** `since` as `performance.now()` had it. */
  observeQuery(outcome: 'answered' | 'silent' | 'gone' | 'spared', since: number): void {
    this.queries.inc({ outcome });
    if (outcome !== 'spared') this.querySeconds.observe((performance.now() - since) / 1_000);
  }

  observeRequest(labels: { method: string; route: string; status: number }, milliseconds: number): void {
    this.requests.observe(labels, milliseconds / 1_000);
  }

  /** A number that is read when it is asked for. */
  gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.registry],
      collect: () => gauge.set(read()),
    });
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}
