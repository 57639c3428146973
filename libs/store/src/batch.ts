type Batching<T> = {
  /** A batch has at most one item of a key; the others follow in order. */
  keyOf(item: T): string;
  sizeOf(item: T): number;
  /** One outcome for each item, in their order: undefined, or what went wrong with it. Rejects when all failed alike. */
  write(items: readonly T[]): Promise<readonly (Error | undefined)[]>;
};

type Waiting<T> = { item: T; resolve: () => void; reject: (reason: unknown) => void };

export const maxItems = 200;
export const maxSize = 4 * 1024 * 1024;

/** One write at a time; what arrives meanwhile is the next batch. An item alone is written at once. */
export function batched<T>({ keyOf, sizeOf, write }: Batching<T>): (item: T) => Promise<void> {
  let queue: Waiting<T>[] = [];
  let writing = false;

  function nextBatch(): Waiting<T>[] {
    const batch = new Map<string, Waiting<T>>();
    const later: Waiting<T>[] = [];
    let size = 0;
    for (const one of queue) {
      size += sizeOf(one.item);
      const fits = batch.size === 0 || (batch.size < maxItems && size <= maxSize);
      if (fits && !batch.has(keyOf(one.item))) batch.set(keyOf(one.item), one);
      else later.push(one);
    }
    queue = later;
    return [...batch.values()];
  }

  async function drain(): Promise<void> {
    writing = true;
    while (queue.length > 0) {
      const batch = nextBatch();
      try {
        const outcomes = await write(batch.map(({ item }) => item));
        batch.forEach(({ resolve, reject }, index) => {
          const error = outcomes[index];
          if (error === undefined) resolve();
          else reject(error);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    writing = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, resolve, reject });
      if (!writing) void drain();
    });
}
