/** Passes on the first value at once, then at most one in `intervalMs`, the newest; `flush` passes on what still waits. */
export function throttled<T>(
  pass: (value: T) => void,
  intervalMs: number,
): { push(value: T): void; flush(): void } {
  let passedAt = -Infinity;
  let waiting: { value: T } | undefined;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (!waiting) return;
    const { value } = waiting;
    waiting = undefined;
    passedAt = performance.now();
    pass(value);
  };
  return {
    push(value) {
      waiting = { value };
      // The clock is asked at each call, because no timer fires while a function computes.
      const wait = passedAt + intervalMs - performance.now();
      if (wait <= 0) flush();
      else timer ??= setTimeout(flush, wait).unref();
    },
    flush,
  };
}
