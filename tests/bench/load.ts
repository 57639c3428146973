import { setTimeout as pause } from 'node:timers/promises';
import { type Latency, latencyOf } from './statistics.ts';

export type Load = { perSecond: number; count: number; failures: number } & Latency;

/** A load that fails is over soon: its figures are worth nothing. */
const maxFailures = 20;

/** See `closedLoop`. */
const patience = 8;

/**
 * Keeps `inFlight` calls under way: as soon as one has ended the next begins. After a warm-up everything that ends is measured, for `windowMs` and until
 * every call in flight could have ended once; on a machine so slow that this takes `patience` times as long, what has ended by then counts.
 */
export async function closedLoop(
  call: () => Promise<unknown>,
  options: {
    inFlight: number;
    warmUpMs: number;
    windowMs: number;
    signal: AbortSignal;
    /** Called when the measurement begins and when it ends. */
    around?: () => Promise<void>;
  },
): Promise<Load> {
  const { inFlight, warmUpMs, windowMs, signal, around } = options;
  const failures: unknown[] = [];
  let latencies: number[] = [];
  let over = false;
  async function worker(): Promise<void> {
    while (!over && !signal.aborted && failures.length < maxFailures) {
      const began = performance.now();
      await call().then(
        () => latencies.push(performance.now() - began),
        (failure: unknown) => failures.push(failure),
      );
    }
  }
  async function until(ms: number, calls: number): Promise<number> {
    latencies = [];
    const began = performance.now();
    const elapsed = (): number => performance.now() - began;
    const enough = (): boolean => elapsed() >= ms && latencies.length >= calls;
    while (!enough() && elapsed() < patience * ms && failures.length < maxFailures) {
      await pause(5, undefined, { signal });
    }
    return elapsed();
  }
  const workers = Array.from({ length: inFlight }, worker);
  await until(warmUpMs, inFlight);
  await around?.();
  const elapsedMs = await until(windowMs, inFlight);
  const measured = latencies;
  latencies = [];
  await around?.();
  over = true;
  await Promise.all(workers);
  signal.throwIfAborted();
  if (failures.length >= maxFailures)
    throw new Error(`${failures.length} calls failed`, { cause: failures[0] });
  return {
    perSecond: (measured.length / elapsedMs) * 1_000,
    count: measured.length,
    failures: failures.length,
    ...latencyOf(measured),
  };
}

/** Begins calls at a fixed rate, whether or not earlier ones have ended. Each is timed from when it was due, so that a stall shows in all that it delays. */
export async function fixedRate(
  call: () => Promise<unknown>,
  options: { perSecond: number; forMs: number; signal: AbortSignal },
): Promise<Load> {
  const { perSecond, forMs, signal } = options;
  const latencies: number[] = [];
  let failures = 0;
  const calls: Promise<void>[] = [];
  const began = performance.now();
  const total = Math.round((perSecond * forMs) / 1_000);
  while (calls.length < total && !signal.aborted) {
    const now = performance.now();
    for (let due = dueAt(); due <= now && calls.length < total; due = dueAt()) calls.push(timed(due));
    await pause(1, undefined, { signal });
  }
  await Promise.all(calls);
  const elapsedMs = performance.now() - began;
  return {
    perSecond: (latencies.length / elapsedMs) * 1_000,
    count: latencies.length,
    failures,
    ...latencyOf(latencies),
  };

  function dueAt(): number {
    return began + (calls.length * 1_000) / perSecond;
  }
  async function timed(due: number): Promise<void> {
    try {
      await call();
      latencies.push(performance.now() - due);
    } catch {
      failures++;
    }
  }
}

/** So many calls of each come first, and are not counted. */
const warmUpCalls = 20;

/** Calls each in turn, so that whatever else the machine does, it does to all of them; and one after the other, so that none waits for another. */
export async function inTurns(
  calls: readonly (() => Promise<unknown>)[],
  times: number,
  signal: AbortSignal,
): Promise<Latency[]> {
  const latencies: number[][] = calls.map(() => []);
  for (let time = -warmUpCalls; time < times; time++) {
    signal.throwIfAborted();
    for (const [index, call] of calls.entries()) {
      const began = performance.now();
      await call();
      if (time >= 0) latencies[index]?.push(performance.now() - began);
    }
  }
  return latencies.map(latencyOf);
}
