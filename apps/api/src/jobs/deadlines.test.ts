import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Deadlines } from './deadlines.ts';

beforeAll(() => void jest.useFakeTimers());
afterAll(() => void jest.useRealTimers());

test('everybody is woken once, soon after their time and not before; one clock for all, and none for nobody', () => {
  const deadlines = new Deadlines();
  const began = performance.now();
  const woken: { due: number; at: number }[] = [];
  const times = Array.from({ length: 1_000 }, (_, index) => began + index * 7.3);
  for (const due of times) deadlines.at(due, () => woken.push({ due, at: performance.now() }));
  expect(jest.getTimerCount()).toBe(1);
  jest.advanceTimersByTime(8_000);
  expect(woken).toHaveLength(1_000);
  for (const { due, at } of woken) {
    expect(at).toBeGreaterThanOrEqual(due);
    expect(at - due).toBeLessThanOrEqual(200);
  }
  expect(jest.getTimerCount()).toBe(0);
});

test('who takes it back is not woken, and the others are', () => {
  const deadlines = new Deadlines();
  const woken: string[] = [];
  const forget = deadlines.at(performance.now() + 50, () => woken.push('forgotten'));
  deadlines.at(performance.now() + 50, () => woken.push('one'));
  forget();
  const alone = deadlines.at(performance.now() + 5_000, () => woken.push('alone'));
  alone();
  jest.advanceTimersByTime(500);
  // Nobody is left: the clock does not wait for a time that nobody waits for.
  expect(jest.getTimerCount()).toBe(0);
  deadlines.at(performance.now() + 5_000, () => woken.push('later'));
  jest.advanceTimersByTime(6_000);
  expect(woken).toEqual(['one', 'later']);
});
