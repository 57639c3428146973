import { expect, test } from '@jest/globals';
import { microseconds, milliseconds } from './times.ts';

test.each([
  ['2026-11-22 05:00:00+00', '2026-11-22T05:00:00.000000Z'],
  ['2026-11-22 05:00:00.12+00', '2026-11-22T05:00:00.120000Z'],
  ['2026-11-22 05:00:00.123456+00', '2026-11-22T05:00:00.123456Z'],
  ['2026-11-22 00:30:00.123456+01', '2026-11-21T23:30:00.123456Z'],
  ['2026-11-22 05:00:00.000001-03:30', '2026-11-22T08:30:00.000001Z'],
])('reads %s in UTC without losing a digit', (text, expected) => {
  expect(microseconds(text)).toBe(expected);
});

test('cuts to milliseconds, as events have them', () => {
  expect(milliseconds('2026-11-22T05:00:00.123999Z')).toBe('2026-11-22T05:00:00.123Z');
  expect(milliseconds(null)).toBeNull();
});
