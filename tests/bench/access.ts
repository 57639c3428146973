import type { Plan } from './arguments.ts';
import type { Http } from './http.ts';
import { closedLoop } from './load.ts';
import type { Programs } from './programs.ts';

/** Requests a second, of the API as it is and of one that asks nobody who he is and sees all tenants. */
export type AccessRound = Record<'read' | 'submit', { guarded: number; open: number }>;

const inFlight = 16;

export async function startOpenApi(programs: Programs, databaseUrl: string, key: string): Promise<Http> {
  const preload = new URL('bare/open-access.ts', import.meta.url).href;
  const { http } = await programs.startApi('api-open', databaseUrl, {
    NODE_OPTIONS: `--import=${preload}`,
    PERDURE_ADMIN_KEY: key,
  });
  return http;
}

/** The status of a finished job, and jobs that are to begin tomorrow, so that none runs meanwhile. Each in turns: one, the other, the other, one. */
export async function accessRound(
  guarded: Http,
  open: Http,
  finish: () => Promise<string>,
  plan: Plan,
  signal: AbortSignal,
): Promise<AccessRound> {
  const id = await finish();
  const notBefore = new Date(Date.now() + 86_400_000).toISOString();
  const calls = {
    read: (http: Http) => http.get(`/v1/jobs/${id}`),
    submit: (http: Http) => http.post('/v1/jobs', { function: 'echo', parameters: { text: 'x' }, notBefore }),
  };
  const compare = async (call: (http: Http) => Promise<unknown>) => {
    const measured = { guarded: 0, open: 0 };
    for (const which of ['guarded', 'open', 'open', 'guarded'] as const) {
      const http = which === 'guarded' ? guarded : open;
      const load = { inFlight, windowMs: plan.readMs / 2, warmUpMs: plan.warmUpMs / 2, signal };
      const { perSecond, failures } = await closedLoop(() => call(http), load);
      if (failures > 0) throw new Error(`${failures} requests failed`);
      measured[which] += perSecond / 2;
    }
    return measured;
  };
  return { read: await compare(calls.read), submit: await compare(calls.submit) };
}
