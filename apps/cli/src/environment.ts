import { homedir } from 'node:os';
import { join } from 'node:path';

/** All that the command reads of the environment. Empty counts as not set. */
export function environment(): { url?: string; token?: string; configFolder: string } {
  const { PERDURE_URL, PERDURE_TOKEN, XDG_CONFIG_HOME } = process.env;
  return {
    url: PERDURE_URL || undefined,
    token: PERDURE_TOKEN || undefined,
    configFolder: join(XDG_CONFIG_HOME || join(homedir(), '.config'), 'perdure'),
  };
}
