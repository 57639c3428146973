import { readEnvironment } from '@perdure/config/environment';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Programs that were built or downloaded once are kept here, outside the checkout: a fresh clone finds them. */
export function programCache(environment: NodeJS.ProcessEnv = readEnvironment()): string {
  const base = environment['XDG_CACHE_HOME'] ? environment['XDG_CACHE_HOME'] : join(homedir(), '.cache');
  return join(base, 'perdure', 'bin');
}
