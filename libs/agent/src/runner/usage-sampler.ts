import { setTimeout as delay } from 'node:timers/promises';
import { folderUsage, maxEntries } from './folder-usage.ts';
import type { Limits } from './limits.ts';
import { membersOf, memoryOf, offerToKernel } from './proc.ts';

export type Watched = {
  /** The leader of the session's process group; undefined when it could not be started. */
  pid: number | undefined;
  scratch: string;
  limits: Pick<Limits, 'memoryMiB' | 'scratchMiB'>;
  /** Told once which limit, how much was used and how much is allowed. */
  exceeded: (message: string) => void;
};

/** Looks at what all sessions of an agent use: one reading of /proc for all of them. Returns how to end the watch. */
export type UsageSampler = { watch: (one: Watched) => () => void };

export function openUsageSampler({ memoryMs = 1_000, scratchMs = 5_000 } = {}): UsageSampler {
  const watched = new Set<Watched>();

  function exceed(one: Watched, message: string): void {
    if (watched.delete(one)) one.exceeded(message);
  }

  function sampleMemory(): void {
    const members = membersOf(new Set([...watched].flatMap(({ pid }) => pid ?? [])));
    for (const one of watched) {
      const pids = (one.pid !== undefined && members.get(one.pid)) || [];
      // What a program started in its very first moment is not marked yet.
      pids.forEach(offerToKernel);
      const { memoryMiB } = one.limits;
      const mebibytes = pids.reduce((sum, pid) => sum + memoryOf(pid), 0);
      if (mebibytes > memoryMiB) exceed(one, overLimit('memory', mebibytes, memoryMiB, 'memoryMiB'));
    }
  }

  async function sampleScratch(): Promise<void> {
    for (const one of watched) {
      const { scratchMiB } = one.limits;
      const { mebibytes, entries } = await folderUsage(one.scratch);
      if (mebibytes > scratchMiB)
        exceed(one, overLimit('its scratch folder', mebibytes, scratchMiB, 'scratchMiB'));
      else if (entries > maxEntries)
        exceed(one, `The function put more than ${maxEntries} files into its scratch folder`);
    }
  }

  const isNeeded = () => watched.size > 0;
  const wake = [repeatedly(memoryMs, isNeeded, sampleMemory), repeatedly(scratchMs, isNeeded, sampleScratch)];
  return {
    watch(one) {
      if (one.pid === undefined) return () => {};
      watched.add(one);
      for (const loop of wake) void loop();
      return () => void watched.delete(one);
    },
  };
}

/** The one of this process. */
export const sharedUsageSampler = openUsageSampler();

function overLimit(what: string, used: number, allowed: number, name: string): string {
  return `The function used ${Math.ceil(used)} MiB of ${what}; ${allowed} MiB are allowed (${name})`;
}

/** Makes a loop that runs while it is needed, with the pause before each round; a round that takes long makes the pause longer. */
function repeatedly(
  everyMs: number,
  isNeeded: () => boolean,
  round: () => Promise<void> | void,
): () => Promise<void> {
  let running = false;
  return async () => {
    if (running) return;
    running = true;
    let tookMs = 0;
    while (isNeeded()) {
      await delay(Math.max(everyMs, 4 * tookMs), undefined, { ref: false });
      const from = performance.now();
      await round();
      tookMs = performance.now() - from;
    }
    running = false;
  };
}
