import { Controller, Get, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Live, Ready } from '@perdure/job/schemas';
import type { FastifyReply } from 'fastify';
import { Operation } from '../http/operation.ts';
import { HttpError } from '../http/problem.ts';
import { Changes } from '../jobs/changes.ts';
import { Dispatcher } from '../work/dispatcher.ts';
import { Metrics } from './metrics.ts';
import { Readiness } from './readiness.ts';

@ApiTags('health')
@Controller()
export class HealthController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
    changes: Changes,
    dispatcher: Dispatcher,
  ) {
    metrics.gauge(
      'perdure_waiters',
      'Long polls, event streams and followed logs that wait for news',
      () => changes.waiting,
    );
    metrics.gauge('perdure_waiting_agents', 'HTTP agents that wait for a job', () => dispatcher.waiters);
  }

  @Get('livez')
  @Operation({
    id: 'livez',
    summary: 'Does the process live',
    permission: 'public',
    answers: [{ status: 200, description: 'It does', schema: Live }],
  })
  livez(): Live {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Operation({
    id: 'readyz',
    summary: 'Can jobs be accepted and run',
    description: 'Database, migrations, Temporal, and whether some worker polls the task queue.',
    permission: 'public',
    answers: [{ status: 200, description: 'They can', schema: Ready }],
    problems: ['unavailable'],
  })
  async readyz(): Promise<Ready> {
    const checks = await this.readiness.check();
    const bad = Object.entries(checks).filter(([, { ok }]) => !ok);
    if (bad.length === 0) return { status: 'ready', checks };
    const detail = bad.map(([name, one]) => `${name}: ${one.detail}`).join('; ');
    throw new HttpError('unavailable', detail, { members: { checks } });
  }

  @Get('metrics')
  @Operation({
    id: 'metrics',
    summary: 'Metrics for Prometheus',
    permission: 'metrics.read',
    answers: [
      { status: 200, description: 'Text', content: { 'text/plain': { schema: { type: 'string' } } } },
    ],
  })
  async read(@Res() reply: FastifyReply): Promise<void> {
    await reply.type(this.metrics.contentType).send(await this.metrics.text());
  }
}
