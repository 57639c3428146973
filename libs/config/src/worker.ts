import { availableParallelism } from 'node:os';

import { patterns } from '@perdure/job/ids';
import { z } from 'zod';

import { agentFile, noAgentFile } from './agent-file.ts';
import { load, readEnvironment } from './environment.ts';
import {
  database,
  home,
  homeOf,
  logLevel,
  requireTogether,
  storage,
  storageOf,
  temporal,
  temporalOf,
} from './pieces.ts';
import { retentionDays } from './retention.ts';
import { list, optional, text, wholeNumber } from './variable.ts';

const name = /^[a-z][a-z0-9-]{0,62}$/;

export const workerVariables = z
  .object({
    WORKER_ROLES: list(
      z.enum(['orchestrator', 'agent']),
      'orchestrator, agent, or both with a comma',
      'orchestrator,agent',
    ),
    ...home,
    ...database,
    ...storage,
    ...temporal,
    AGENT_ID: optional(
      text('letters, digits, dots, underscores and dashes, at most 64', /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
    ),
    AGENT_POOL: optional(
      text(
        "the name of a pool: small letters, digits and dashes, and neither 'any' nor 'agent'",
        patterns.pool,
      ),
    ),
    AGENT_SLOTS: optional(wholeNumber('how many jobs the agent runs at once', 1, 1_000)),
    AGENT_PACKS: list(z.string().regex(name), 'names of packs with commas between', 'reference,evaluation'),
    AGENT_CONFIG: optional(
      agentFile('the path of the YAML file of an agent, like examples/commands/agent.yaml'),
    ),
    AGENT_LEASE_SECONDS: wholeNumber(
      'seconds without a beat after which an agent counts as lost',
      1,
      3_600,
      '15',
    ),
    DRAIN_SECONDS: wholeNumber('seconds that running jobs get to finish after SIGTERM', 0, 86_400, '30'),
    HOUSEKEEPING_SECONDS: wholeNumber('seconds between two rounds of the housekeeping', 1, 86_400, '10'),
    LOG_RETENTION_DAYS: wholeNumber('days that the log lines of jobs are kept', 2, 36_500, '30'),
    RETENTION_DAYS: retentionDays,
    AUDIT_RETENTION_DAYS: wholeNumber('days that entries of the audit log are kept', 1, 36_500, '400'),
    ...logLevel,
  })
  .superRefine(requireTogether, { when: () => true });

export type WorkerConfig = ReturnType<typeof loadWorkerConfig>;

/** The configuration of a worker, whatever its roles. Throws a `ConfigurationError` that names every wrong variable. */
export function loadWorkerConfig(environment: NodeJS.ProcessEnv = readEnvironment()) {
  const env = load('the worker', workerVariables, environment);
  return {
    roles: env.WORKER_ROLES,
    home: homeOf(env),
    database: { url: env.DATABASE_URL, poolSize: env.DATABASE_POOL_SIZE },
    storage: storageOf(env),
    temporal: { address: env.TEMPORAL_ADDRESS, ...temporalOf(env) },
    agent: {
      /** Absent: the agent makes one and keeps it under `home`. */
      id: env.AGENT_ID,
      pool: env.AGENT_POOL,
      slots: env.AGENT_SLOTS ?? availableParallelism(),
      packs: env.AGENT_PACKS,
      file: env.AGENT_CONFIG ?? noAgentFile,
      leaseSeconds: env.AGENT_LEASE_SECONDS,
      drainSeconds: env.DRAIN_SECONDS,
    },
    limits: { fileBytes: env.MAX_FILE_BYTES },
    housekeepingSeconds: env.HOUSEKEEPING_SECONDS,
    retentionDays: env.RETENTION_DAYS,
    logRetentionDays: env.LOG_RETENTION_DAYS,
    auditRetentionDays: env.AUDIT_RETENTION_DAYS,
    logLevel: env.LOG_LEVEL,
  };
}
