import { setTimeout as delay } from 'node:timers/promises';
import { type Child, howItEnded } from './child.ts';

export type Service = {
  name: string;
  start(): Promise<Child>;
  /** The time it gets to end in good order before it is killed. */
  graceMs: number;
};

export type RestartPolicy = {
  atMost: number;
  withinMs: number;
  firstDelayMs: number;
  longestDelayMs: number;
};

export const defaultPolicy: RestartPolicy = {
  atMost: 5,
  withinMs: 60_000,
  firstDelayMs: 500,
  longestDelayMs: 8_000,
};

export type Supervised = {
  readonly name: string;
  pid(): number;
  /** Settles with the reason when the service has ended too often to be started again. */
  readonly gaveUp: Promise<Error>;
  stop(): Promise<void>;
};

/**
 * Starts a service and starts it again when it ends unasked, after a pause that doubles; at most `policy.atMost` times within
 * `policy.withinMs`, then it gives up. Rejects when the first start fails.
 */
export async function supervise(
  service: Service,
  say: (text: string) => void,
  policy: RestartPolicy = defaultPolicy,
): Promise<Supervised> {
  const { name } = service;
  const stopping = new AbortController();
  let child: Child | undefined = await service.start();
  let pid = child.pid;
  let giveUp: (reason: Error) => void = () => undefined;
  const gaveUp = new Promise<Error>((settle) => (giveUp = settle));

  const watch = async (): Promise<void> => {
    let ends: number[] = [];
    for (;;) {
      const how = child === undefined ? 'while it started' : howItEnded(await child.exited);
      if (stopping.signal.aborted) return;
      const now = performance.now();
      ends = [...ends.filter((at) => at > now - policy.withinMs), now];
      if (ends.length > policy.atMost) {
        return giveUp(
          new Error(
            `${name} ended ${how}, for the ${ordinal(ends.length)} time within ${policy.withinMs / 1_000} s`,
          ),
        );
      }
      const pause = Math.min(policy.firstDelayMs * 2 ** (ends.length - 1), policy.longestDelayMs);
      say(
        `${name} ended ${how}. It is started again in ${pause / 1_000} s (${ends.length} of at most ${policy.atMost} times).`,
      );
      await delay(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      child = await service.start().catch((error: unknown) => {
        say(`${name} cannot be started again: ${error instanceof Error ? error.message : String(error)}`);
        return undefined;
      });
      pid = child?.pid ?? pid;
      // The stop came while it started, and found the one before it.
      if (stopping.signal.aborted) await child?.stop(service.graceMs);
    }
  };
  const watching = watch();

  return {
    name,
    pid: () => pid,
    gaveUp,
    async stop() {
      stopping.abort();
      await child?.stop(service.graceMs);
      await watching;
    },
  };
}

function ordinal(count: number): string {
  const ending = new Map([
    [1, 'st'],
    [2, 'nd'],
    [3, 'rd'],
  ]);
  return `${count}${ending.get(count) ?? 'th'}`;
}
