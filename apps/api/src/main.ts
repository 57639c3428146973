import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadApiConfig } from '@perdure/config/api';
import { ConfigurationError } from '@perdure/config/environment';
import { Logger } from 'nestjs-pino';
import { createApp } from './app.ts';

/** Long polls end at once; what else is under way gets so long to end. */
const drainMs = 8_000;

try {
  const config = loadApiConfig();
  const app = await createApp(config);
  endInOrder(app);
  await app.listen(config.port, config.host);
  app.get(Logger).log(`serves ${await app.getUrl()}`, 'main');
} catch (error) {
  console.error(error instanceof ConfigurationError ? error.message : error);
  process.exit(1);
}

/** A signal may come twice: from the terminal, and from a parent that passes it on. */
function endInOrder(app: NestFastifyApplication): void {
  let closing: Promise<void> | undefined;
  const end = (): void => {
    if (closing) return;
    setTimeout(() => app.getHttpServer().closeAllConnections(), drainMs).unref();
    closing = app.close();
    closing.then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}
