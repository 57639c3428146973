import { rm } from 'node:fs/promises';
import type { HeldJob, Slots } from '@perdure/activities/agent';
import type { StageRequest } from '@perdure/activities';

export type AgentSlots = Slots & {
  /** Jobs held now. */
  held(): number;
  /** Resolves when a further job could be held; rejects with the signal's reason. Never resolves for an agent that drains. */
  whenFree(signal: AbortSignal): Promise<void>;
  /** From now on nothing is claimed. Resolves when the last held job is gone. */
  drain(): Promise<void>;
};

type Slot = {
  request: StageRequest;
  job: HeldJob | undefined;
  stages: number;
  timer: NodeJS.Timeout | undefined;
};

/** Counts held jobs, from claim to end. A job of which no stage comes for `idleMs` is dropped: its workflow has gone another way. */
export function openSlots(capacity: number, idleMs: number): AgentSlots {
  const slots = new Map<string, Slot>();
  const waiting = new Set<() => void>();
  let draining = false;

  const keyOf = ({ jobId, attempt }: StageRequest) => `${jobId}/${attempt}`;
  const free = () => !draining && slots.size < capacity;
  const wake = () => [...waiting].forEach((one) => one());

  function watch(slot: Slot, ms: number): void {
    clearTimeout(slot.timer);
    slot.timer = setTimeout(() => void release(slot.request), ms);
    slot.timer.unref();
  }

  async function release(request: StageRequest): Promise<void> {
    const slot = slots.get(keyOf(request));
    if (slot === undefined) return;
    slots.delete(keyOf(request));
    clearTimeout(slot.timer);
    try {
      await slot.job?.session?.kill();
      if (slot.job?.scratch !== undefined) await rm(slot.job.scratch, { recursive: true, force: true });
    } finally {
      wake();
    }
  }

  return {
    reserve(request) {
      if (slots.has(keyOf(request))) return true;
      // An older attempt of the same job is over, or else there would be no newer one.
      const stale = [...slots.values()].filter(
        ({ request: { jobId, attempt } }) => jobId === request.jobId && attempt < request.attempt,
      );
      for (const slot of stale) void release(slot.request);
      if (!free()) return false;
      const slot: Slot = { request, job: undefined, stages: 0, timer: undefined };
      slots.set(keyOf(request), slot);
      watch(slot, idleMs);
      return true;
    },
    keep(job) {
      const slot = slots.get(keyOf(job.request));
      if (slot !== undefined) slot.job = job;
    },
    find: (request) => slots.get(keyOf(request))?.job,
    busy(request) {
      const slot = slots.get(keyOf(request));
      if (slot === undefined) return () => undefined;
      slot.stages++;
      clearTimeout(slot.timer);
      return () => {
        slot.stages--;
        // Between two tries of a stage there may be a pause, which the function declared.
        if (slot.stages === 0 && slots.get(keyOf(request)) === slot)
          watch(slot, idleMs + (slot.job?.answer.retry.maximumIntervalMs ?? 0));
      };
    },
    release,
    held: () => slots.size,
    whenFree: (signal) =>
      new Promise((resolve, reject) => {
        const attempt = () => {
          if (!free()) return;
          done();
          resolve();
        };
        const abort = () => {
          done();
          reject(signal.reason as Error);
        };
        const done = () => {
          waiting.delete(attempt);
          signal.removeEventListener('abort', abort);
        };
        waiting.add(attempt);
        signal.addEventListener('abort', abort);
        if (signal.aborted) abort();
        else attempt();
      }),
    drain() {
      draining = true;
      return new Promise((resolve) => {
        const attempt = () => {
          if (slots.size > 0) return;
          waiting.delete(attempt);
          resolve();
        };
        waiting.add(attempt);
        attempt();
      });
    },
  };
}
