import { z } from 'zod';

import { load, readEnvironment } from './environment.ts';
import {
  adminKey,
  database,
  logLevel,
  requireTogether,
  storage,
  storageOf,
  temporal,
  temporalOf,
} from './pieces.ts';
import { oidc, oidcOf } from './oidc.ts';
import { optional, port, text, wholeNumber } from './variable.ts';

export const apiVariables = z
  .object({
    HOST: text('the address to listen on', /^[^\s/]+$/, { fallback: '127.0.0.1' }),
    PORT: port('3000'),
    ...adminKey,
    ...database,
    ...storage,
    ...temporal,
    TEMPORAL_UI_URL: optional(
      text('the address of the Temporal UI, for links in answers', /^https?:\/\/\S+$/),
    ),
    MAX_JSON_BYTES: wholeNumber('the largest JSON body, in bytes', 1_024, 100 * 1024 ** 2, String(1024 ** 2)),
    UPLOAD_EXPIRY_SECONDS: wholeNumber(
      'how long an upload in several requests may take, in seconds',
      1,
      30 * 86_400,
      '86400',
    ),
    SIGNED_URL_SECONDS: wholeNumber(
      'how long a signed URL works unless it is asked for otherwise, in seconds',
      1,
      7 * 86_400,
      '900',
    ),
    MAX_SIGNED_URL_SECONDS: wholeNumber(
      'how long a signed URL may be asked to work, in seconds',
      1,
      7 * 86_400,
      '86400',
    ),
    STATUS_BUDGET_MS: wholeNumber(
      'how long a status may wait for the workflow, in milliseconds',
      1,
      60_000,
      '1000',
    ),
    STATUS_FRESHNESS_MS: wholeNumber(
      'how long the answer of a workflow is kept, in milliseconds',
      0,
      60_000,
      '1000',
    ),
    RATE_LIMIT_PER_KEY: wholeNumber(
      'how many requests one key may make in a window, 0 for any number',
      0,
      1_000_000_000,
      '30000',
    ),
    RATE_LIMIT_PER_TENANT: wholeNumber(
      'how many requests all keys of a tenant may make in a window, 0 for any number',
      0,
      1_000_000_000,
      '120000',
    ),
    RATE_LIMIT_WINDOW_SECONDS: wholeNumber('the window of the rate limits, in seconds', 1, 3_600, '60'),
    MAX_STREAMS_PER_KEY: wholeNumber(
      'how many streams of events one key may keep open on one replica',
      1,
      100_000,
      '100',
    ),
    STREAM_KEEP_ALIVE_SECONDS: wholeNumber(
      'after how many seconds of silence a stream says that it is alive',
      1,
      300,
      '15',
    ),
    STREAM_STALL_SECONDS: wholeNumber(
      'after how many seconds a client that takes nothing of a stream is dropped',
      1,
      3_600,
      '30',
    ),
    WAITING_REASON_SECONDS: wholeNumber(
      'how often it is looked why jobs wait that somebody waits for, in seconds',
      1,
      300,
      '5',
    ),
    ...oidc,
    ...logLevel,
  })
  .superRefine(requireTogether, { when: () => true });

export type { OidcConfig } from './oidc.ts';
export type ApiConfig = ReturnType<typeof loadApiConfig>;

/** The configuration of the API. Throws a `ConfigurationError` that names every wrong variable. */
export function loadApiConfig(environment: NodeJS.ProcessEnv = readEnvironment()) {
  const env = load('the API', apiVariables, environment);
  return {
    host: env.HOST,
    port: env.PORT,
    adminKey: env.PERDURE_ADMIN_KEY,
    oidc: oidcOf(env),
    database: { url: env.DATABASE_URL, poolSize: env.DATABASE_POOL_SIZE },
    storage: storageOf(env),
    temporal: { address: env.TEMPORAL_ADDRESS, ...temporalOf(env) },
    temporalUiUrl: env.TEMPORAL_UI_URL,
    limits: {
      jsonBytes: env.MAX_JSON_BYTES,
      fileBytes: env.MAX_FILE_BYTES,
      uploadSeconds: env.UPLOAD_EXPIRY_SECONDS,
    },
    signedUrls: {
      defaultSeconds: Math.min(env.SIGNED_URL_SECONDS, env.MAX_SIGNED_URL_SECONDS),
      maxSeconds: env.MAX_SIGNED_URL_SECONDS,
    },
    status: { budgetMs: env.STATUS_BUDGET_MS, freshnessMs: env.STATUS_FRESHNESS_MS },
    rates: {
      perKey: env.RATE_LIMIT_PER_KEY,
      perTenant: env.RATE_LIMIT_PER_TENANT,
      windowMs: env.RATE_LIMIT_WINDOW_SECONDS * 1_000,
    },
    streams: {
      perKey: env.MAX_STREAMS_PER_KEY,
      keepAliveMs: env.STREAM_KEEP_ALIVE_SECONDS * 1_000,
      stallMs: env.STREAM_STALL_SECONDS * 1_000,
    },
    waitingReasonMs: env.WAITING_REASON_SECONDS * 1_000,
    logLevel: env.LOG_LEVEL,
  };
}
