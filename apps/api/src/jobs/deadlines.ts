/** How exact it is: nobody is woken before its time, and nobody later than two of these after it. */
const tickMs = 100;

/** One clock for all who wait: ten thousand waiters cost it what one does. */
export class Deadlines {
  private readonly due = new Map<number, Set<() => void>>();
  private clock: NodeJS.Timeout | undefined;

  /** Calls `wake` once `performance.now()` has passed `time`. Returns what takes that back. */
  at(time: number, wake: () => void): () => void {
    const tick = Math.ceil(time / tickMs);
    const some = this.due.get(tick) ?? new Set();
    this.due.set(tick, some.add(wake));
    this.clock ??= setInterval(() => this.strike(), tickMs).unref();
    return () => {
      some.delete(wake);
    };
  }

  private strike(): void {
    const now = performance.now() / tickMs;
    for (const [tick, some] of this.due) {
      if (tick > now && some.size > 0) continue;
      this.due.delete(tick);
      for (const wake of some) wake();
    }
    if (this.due.size > 0) return;
    clearInterval(this.clock);
    this.clock = undefined;
  }
}
