import { rm } from 'node:fs/promises';
import { PerdureError } from '@perdure/job/errors';
import type { HeldJob, Slots } from '@perdure/activities/agent';
import type { StageRequest } from '@perdure/activities';

/** Why an agent takes nothing for a while: an operator wants it so, or it has no room to work. */
export type ClosedBy = 'order' | 'unfit';

export type AgentSlots = Slots & {
  /** Jobs held now. */
  held(): number;
  /** Resolves when a job could be held beside `others` to come; rejects with the signal's reason. Never resolves for an agent that drains. */
  whenFree(signal: AbortSignal, others?: () => number): Promise<void>;
  /** To be called when `others` have become fewer. */
  recheck(): void;
  /** Takes nothing until it is opened again. What is held goes on. */
  close(by: ClosedBy): void;
  open(by: ClosedBy): void;
  /** From now on nothing is claimed. Resolves when the last held job is gone. */
  drain(): Promise<void>;
};

type Slot = {
  request: StageRequest;
  /** No other job is taken beside this one, and it runs when it is the only one. */
  alone: boolean;
  job: HeldJob | undefined;
  stages: number;
  timer: NodeJS.Timeout | undefined;
};

type SlotsOptions = {
  capacity: number;
  /** A job of which no stage comes for so long is dropped: its workflow has gone another way. */
  idleMs: number;
  /** A job that waits for its next stage is looked up so often; it is dropped as soon as its attempt is over. */
  lookMs: number;
  isOver(request: StageRequest): Promise<boolean>;
};

/** Counts held jobs, from claim to end. */
export function openSlots({ capacity, idleMs, lookMs, isOver }: SlotsOptions): AgentSlots {
  const slots = new Map<string, Slot>();
  const waiting = new Set<() => void>();
  const closed = new Set<ClosedBy>();
  let draining = false;

  const keyOf = ({ jobId, attempt }: StageRequest) => `${jobId}/${attempt}`;
  const wake = () => [...waiting].forEach((one) => one());
  const free = (others = 0) =>
    !draining &&
    closed.size === 0 &&
    slots.size + others < capacity &&
    ![...slots.values()].some(({ alone }) => alone);

  /** Watches a job that no stage runs of, until one does: after `ms` it is dropped. */
  function watch(slot: Slot, ms: number): void {
    clearTimeout(slot.timer);
    const timer = setTimeout(() => void look(), Math.min(lookMs, ms)).unref();
    slot.timer = timer;
    const look = async (): Promise<void> => {
      const over = ms <= lookMs || (await isOver(slot.request).catch(() => false));
      // Meanwhile a stage may have come.
      if (slot.timer !== timer) return;
      if (over) await release(slot.request);
      else watch(slot, ms - lookMs);
    };
  }

  async function release(request: StageRequest): Promise<void> {
    const slot = slots.get(keyOf(request));
    if (slot === undefined) return;
    slots.delete(keyOf(request));
    clearTimeout(slot.timer);
    slot.timer = undefined;
    try {
      await slot.job?.session?.kill();
      if (slot.job?.scratch !== undefined) await rm(slot.job.scratch, { recursive: true, force: true });
    } finally {
      wake();
    }
  }

  /** Resolves once `holds` answers true; asked again whenever something has changed. */
  function until(holds: () => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        waiting.delete(look);
        signal?.removeEventListener('abort', abort);
        end();
      };
      const look = () => {
        try {
          if (holds()) settle(resolve);
        } catch (reason) {
          settle(() => reject(reason));
        }
      };
      const abort = () => settle(() => reject(signal?.reason as Error));
      waiting.add(look);
      signal?.addEventListener('abort', abort);
      if (signal?.aborted) abort();
      else look();
    });
  }

  return {
    reserve(request, alone = false) {
      if (slots.has(keyOf(request))) return true;
      // An older attempt of the same job is over, or else there would be no newer one.
      const stale = [...slots.values()].filter(
        ({ request: { jobId, attempt } }) => jobId === request.jobId && attempt < request.attempt,
      );
      for (const slot of stale) void release(slot.request);
      if (!free()) return false;
      const slot: Slot = { request, alone, job: undefined, stages: 0, timer: undefined };
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
      slot.timer = undefined;
      return (nextInMs) => {
        slot.stages--;
        if (slot.stages === 0 && slots.get(keyOf(request)) === slot) watch(slot, idleMs + nextInMs);
      };
    },
    mayRun: (request) =>
      until(() => {
        const slot = slots.get(keyOf(request));
        if (slot === undefined) throw new PerdureError('stale-attempt', 'the job is not held any more');
        return !slot.alone || slots.size === 1;
      }),
    release,
    held: () => slots.size,
    whenFree: (signal, others) => until(() => free(others?.()), signal),
    recheck: wake,
    close: (by) => void closed.add(by),
    open(by) {
      closed.delete(by);
      wake();
    },
    drain() {
      draining = true;
      return until(() => slots.size === 0);
    },
  };
}
