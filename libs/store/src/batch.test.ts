import { describe, expect, test } from '@jest/globals';
import { batched, maxItems, maxSize } from './batch.ts';

type Item = { key: string; n: number; size?: number };

/** A writer that stops until it is told to go on, and keeps what it was given. */
function recording(outcome: (item: Item) => Error | undefined = () => undefined) {
  const batches: Item[][] = [];
  let open = Promise.withResolvers<void>();
  const write = batched<Item>({
    keyOf: ({ key }) => key,
    sizeOf: ({ size = 1 }) => size,
    write: async (items) => {
      batches.push([...items]);
      await open.promise;
      return items.map(outcome);
    },
  });
  return {
    batches,
    write,
    release: () => open.resolve(),
    block: () => (open = Promise.withResolvers<void>()),
  };
}

const numbers = (batch: Item[] | undefined) => batch?.map(({ n }) => n);

describe('what arrives while a write is under way', () => {
  test('is the next batch, in order, at most one of a key', async () => {
    const { batches, write, release } = recording();
    const all = [
      write({ key: 'a', n: 1 }),
      write({ key: 'a', n: 2 }),
      write({ key: 'b', n: 3 }),
      write({ key: 'a', n: 4 }),
      write({ key: 'c', n: 5 }),
    ];
    expect(batches.map(numbers)).toEqual([[1]]);
    release();
    await Promise.all(all);
    expect(batches.map(numbers)).toEqual([[1], [2, 3, 5], [4]]);
  });

  test('is cut by count and by size, and a giant goes alone', async () => {
    const { batches, write, release } = recording();
    const first = write({ key: 'first', n: 0 });
    const many = Array.from({ length: maxItems + 1 }, (_, n) => write({ key: `many-${n}`, n }));
    const giants = [1, 2].map((n) => write({ key: `giant-${n}`, n, size: maxSize + 1 }));
    release();
    await Promise.all([first, ...many, ...giants]);
    expect(batches.map(({ length }) => length)).toEqual([1, maxItems, 1, 1, 1]);
  });

  test('does not wait for ever behind a failure', async () => {
    const { write, release } = recording(({ n }) => (n === 1 ? new Error('refused') : undefined));
    const [good, bad, after] = [
      write({ key: 'a', n: 0 }),
      write({ key: 'b', n: 1 }),
      write({ key: 'b', n: 2 }),
    ];
    release();
    await expect(good).resolves.toBeUndefined();
    await expect(bad).rejects.toThrow('refused');
    await expect(after).resolves.toBeUndefined();
  });
});

test('a write that throws fails its batch and no other', async () => {
  let times = 0;
  const write = batched<Item>({
    keyOf: ({ key }) => key,
    sizeOf: () => 1,
    write: (items) =>
      ++times === 1 ? Promise.reject(new Error('away')) : Promise.resolve(items.map(() => undefined)),
  });
  const [first, second] = [write({ key: 'a', n: 1 }), write({ key: 'b', n: 2 })];
  await expect(first).rejects.toThrow('away');
  await expect(second).resolves.toBeUndefined();
});
