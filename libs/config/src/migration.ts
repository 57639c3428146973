import { z } from 'zod';

import { load, readEnvironment } from './environment.ts';
import { databaseUrl } from './pieces.ts';

export const migrationVariables = z.object({ DATABASE_URL: databaseUrl });

/** The configuration of `npm run migrate`. Throws a `ConfigurationError` that names every wrong variable. */
export function loadMigrationConfig(environment: NodeJS.ProcessEnv = readEnvironment()) {
  const env = load('the migration', migrationVariables, environment);
  return { database: { url: env.DATABASE_URL } };
}
