import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ApiConfig } from '@perdure/config/api';
import { ensureAdminKey } from '@perdure/store/admin';
import { migrate } from '@perdure/store/database';
import type { Socket } from 'node:net';
import { type DestinationStream, pino } from 'pino';
import { Seals } from './access/seals.ts';
import { AppModule } from './app.module.ts';
import { AuditLog } from './audit/audit-log.ts';
import { DatabaseService } from './database/database.service.ts';
import { serveDocs } from './docs/page.ts';
import { Metrics } from './health/metrics.ts';
import type { AuthenticatedRequest } from './http/caller.ts';
import { KnownPaths } from './http/known-paths.ts';
import { QuietLogger } from './http/quiet-logger.ts';
import { ProblemFilter } from './http/problem-filter.ts';
import { createAdapter } from './http/server.ts';
import { secretOf } from './keys/secret.ts';

/** Builds the API and prepares the database; it serves once `listen` is called. */
export async function createApp(
  config: ApiConfig,
  logs?: DestinationStream,
): Promise<NestFastifyApplication> {
  const logger = pino({ level: config.logLevel, base: { service: 'perdure-api' } }, logs);
  const paths = new KnownPaths();
  const adapter = createAdapter(config, logger, paths);
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(config, logger, paths),
    adapter,
    {
      bodyParser: false,
      bufferLogs: true,
      abortOnError: false,
    },
  );
  app.useLogger(app.get(QuietLogger));
  app.useGlobalFilters(new ProblemFilter(paths, app.get(AuditLog)));
  app.useSecurityHeaders({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': "'none'", 'frame-ancestors': "'none'" },
    },
    xFrameOptions: { action: 'deny' },
  });
  report(app);
  closeAfterAnswers(app);
  serveDocs(app);
  try {
    await prepare(app.get(DatabaseService), config);
    await app.get(Seals).prepare();
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

/** Brings the tables up to date under a lock, and sees to the admin key. */
async function prepare(database: DatabaseService, { adminKey }: ApiConfig): Promise<void> {
  await database.atBoot((db) => migrate(db));
  if (adminKey === undefined) return;
  const { key: _secret, ...stored } = secretOf(adminKey);
  await database.across((db) => ensureAdminKey(db, stored));
}

/**
 * A server that closes ends idle connections once. One whose last answer comes after that, and one on which nothing was
 * sent yet (browsers open some ahead), would stay open until they time out.
 */
function closeAfterAnswers(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  const silent = new Set<Socket>();
  fastify.server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  // Not by listening for data: that would take the parsing from Node's fast path.
  fastify.server.on('request', ({ socket }) => silent.delete(socket));
  fastify.addHook('preClose', (done) => {
    for (const socket of silent) if (socket.bytesRead === 0) socket.destroy();
    done();
  });
  fastify.addHook('onResponse', (_request, _reply, done) => {
    if (!fastify.server.listening) setImmediate(() => fastify.server.closeIdleConnections());
    done();
  });
}

/** One line and one measurement a request. Neither query strings nor headers: they may carry secrets. */
function report(app: NestFastifyApplication): void {
  const metrics = app.get(Metrics);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request: AuthenticatedRequest, reply, done) => {
      const { method, principal } = request;
      const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown');
      const { statusCode: status, elapsedTime } = reply;
      metrics.observeRequest({ method, route, status }, elapsedTime);
      const path = request.url.split('?', 1)[0];
      request.log.info(
        {
          method,
          path,
          status,
          ms: Math.round(elapsedTime),
          by: principal?.id,
          keyId: principal?.keyId,
          tenantId: principal?.tenantId,
        },
        'answered',
      );
      done();
    });
}
