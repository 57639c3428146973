import type { ApiConfig } from '@perdure/config/api';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../worker/src/main.ts', import.meta.url));

/** A real worker, orchestrator and agent, for the servers that the API uses. */
export async function startWorker(config: ApiConfig) {
  const home = await mkdtemp(join(tmpdir(), 'perdure-worker-'));
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      PERDURE_HOME: home,
      DATABASE_URL: config.database.url,
      STORAGE_URL: config.storage.url,
      TEMPORAL_ADDRESS: config.temporal.address,
      TEMPORAL_NAMESPACE: config.temporal.namespace,
      AGENT_ID: 'agent-of-the-test',
      AGENT_PACKS: 'reference',
      AGENT_SLOTS: '4',
      DRAIN_SECONDS: '2',
      LOG_LEVEL: 'warn',
    },
  });
  const ended = once(child, 'exit');
  return {
    async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
      child.kill(signal);
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}
