import { Perdure } from '@perdure/client';
import type { Command } from 'commander';
import { environment } from './environment.ts';
import { exitCodes, Interrupted, UsageError } from './exit.ts';
import { readProfiles } from './profiles.ts';

export type GlobalOptions = { json?: boolean; profile?: string; url?: string };

export type Context = {
  perdure: Perdure;
  /** Print what the API answers. */
  json: boolean;
  signal: AbortSignal;
};

/** Ctrl-C ends what is going on in good order; a second one ends the process. `ora` would end it where nobody listens any more. */
const interrupted = new AbortController();
process.on('SIGINT', () => {
  if (interrupted.signal.aborted) process.exit(exitCodes.interrupted);
  interrupted.abort(new Interrupted());
});
export const { signal } = interrupted;

/** About a second; a minute for what is long under way; those who wait for a job have patience for minutes. */
const retries = { short: 3, transfer: 15, long: 100 };

/** The API that is meant, by `--url`, the environment, or a profile, in this order. */
export async function contextOf(
  command: Command,
  patience: keyof typeof retries = 'short',
): Promise<Context> {
  const { json = false, profile, url: given } = command.optsWithGlobals<GlobalOptions>();
  const { url: known, token: secret } = environment();
  const [url, token] = await addressOf(given ?? known, secret, profile);
  try {
    return { perdure: new Perdure({ url, token, retries: retries[patience] }), json, signal };
  } catch {
    throw new UsageError(`'${url}' is no URL, or the key is none`);
  }
}

async function addressOf(
  url: string | undefined,
  token: string | undefined,
  name: string | undefined,
): Promise<[url: string, token: string]> {
  if (name === undefined && url !== undefined && token !== undefined) return [url, token];
  const { current, profiles } = await readProfiles();
  const profile = profiles[name ?? current];
  if (name !== undefined && profile === undefined) {
    throw new UsageError(`There is no profile '${name}': make it with perdure login --profile ${name}`);
  }
  const where = (name !== undefined ? profile?.url : undefined) ?? url ?? profile?.url;
  // A key is sent to nobody but the server it was given for.
  const own = profile !== undefined && sameServer(profile.url, where) ? profile.token : undefined;
  const key = (name !== undefined ? own : undefined) ?? token ?? own;
  if (where === undefined || key === undefined) {
    const missing = where === undefined ? 'which API is meant' : `the key for ${where}`;
    throw new UsageError(
      `It is not known ${missing}: call perdure login, or set PERDURE_URL and PERDURE_TOKEN`,
    );
  }
  return [where, key];
}

function sameServer(one: string, other: string | undefined): boolean {
  return other !== undefined && URL.canParse(other) && new URL(one).origin === new URL(other).origin;
}
