import 'reflect-metadata';
import { loadApiConfig } from '@perdure/config/api';
import { createApp } from './app.ts';

/** Long polls end at once; what is under way gets so long to end. */
const drainMs = 8_000;

const config = loadApiConfig();
const app = await createApp(config);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    const server = app.getHttpServer();
    setTimeout(() => server.closeAllConnections(), drainMs).unref();
    app.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}

await app.listen(config.port, config.host);
