import { join } from 'node:path';

import { z } from 'zod';

import { load, readEnvironment } from './environment.ts';
import {
  adminKey,
  databaseUrl,
  home,
  homeOf,
  storageUrl,
  ownTemporalAddress,
  temporal,
  temporalOf,
} from './pieces.ts';
import { optional, port, text } from './variable.ts';

export const localVariables = z.object({
  ...home,
  ...adminKey,
  HOST: text('the address to listen on', /^[^\s/]+$/, { fallback: '127.0.0.1' }),
  PORT: port('3000'),
  DATABASE_URL: optional(databaseUrl),
  POSTGRES_PORT: port('5433'),
  STORAGE_URL: optional(storageUrl),
  ...temporal,
  TEMPORAL_ADDRESS: ownTemporalAddress,
  TEMPORAL_PORT: port('7233'),
  TEMPORAL_UI_PORT: port('8233'),
});

export type LocalConfig = ReturnType<typeof loadLocalConfig>;

/**
 * The configuration of the local default. `database.url` and `temporal.address` are absent where a server of its own is wanted.
 * Throws a `ConfigurationError` that names every wrong variable.
 */
export function loadLocalConfig(environment: NodeJS.ProcessEnv = readEnvironment()) {
  const env = load('the local stack', localVariables, environment);
  const folder = homeOf(env);
  return {
    home: folder,
    adminKey: env.PERDURE_ADMIN_KEY,
    host: env.HOST,
    port: env.PORT,
    database: { url: env.DATABASE_URL, port: env.POSTGRES_PORT },
    storageUrl: env.STORAGE_URL ?? `file:${join(folder, 'storage')}`,
    temporal: {
      address: env.TEMPORAL_ADDRESS,
      ...temporalOf(env),
      port: env.TEMPORAL_PORT,
      uiPort: env.TEMPORAL_UI_PORT,
    },
  };
}
