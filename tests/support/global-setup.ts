import { startTestServers, type TestServers } from './servers.ts';

declare global {
  var perdureTestServers: TestServers | undefined;
}

/** Runs once before all tests: starts the servers and tells the tests where they are. */
export default async function globalSetup(): Promise<void> {
  const servers = await startTestServers();
  globalThis.perdureTestServers = servers;
  process.env['TEST_DATABASE_URL'] = servers.databaseUrl;
  process.env['TEST_TEMPORAL_ADDRESS'] = servers.temporalAddress;
  process.env['TEST_TEMPORAL_PROGRAM'] = servers.temporalProgram;
  process.env['TEST_COMPILE_CACHE'] = servers.compileCache;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Jest runs no teardown when it is interrupted.
    process.once(signal, () => void servers.stop().finally(() => process.exit(1)));
  }
}
