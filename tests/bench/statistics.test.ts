import { describe, expect, test } from '@jest/globals';
import { percentile, spreadOf } from './statistics.ts';

describe('a percentile', () => {
  test('is the value that so many do not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0.5, 0.95, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([50, 95, 99, 100]);
  });

  test('of few values is the worst of them', () => {
    expect(percentile([3, 1, 2], 0.99)).toBe(3);
  });

  test('of none is not a number', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('a spread', () => {
  test('has the middle value as its median, or the mean of the two in the middle', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, least: 1, most: 9 });
    expect(spreadOf([4, 1])).toEqual({ median: 2.5, least: 1, most: 4 });
  });
});
