import { expect, test } from '@jest/globals';
import { rangeOf } from './ranges.ts';

test.each([
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=2-4', { start: 2, end: 4 }],
  ['bytes=7-', { start: 7, end: 9 }],
  ['bytes=-3', { start: 7, end: 9 }],
  ['bytes=-100', { start: 0, end: 9 }],
  ['bytes=5-100', { start: 5, end: 9 }],
  [undefined, undefined],
  ['bytes=4-2', undefined],
  ['bytes=0-1,3-4', undefined],
  ['items=0-1', undefined],
  ['bytes=a-b', undefined],
  ['bytes=-', undefined],
])('Range: %s of ten bytes is %j', (header, range) => {
  expect(rangeOf(header, 10)).toEqual(range);
});

test.each(['bytes=10-', 'bytes=11-20', 'bytes=-0'])('Range: %s of ten bytes is refused', (header) => {
  expect(() => rangeOf(header, 10)).toThrow(
    expect.objectContaining({ code: 'range-not-satisfiable', headers: { 'content-range': 'bytes */10' } }),
  );
});

test('a range of an empty file is refused', () => {
  expect(() => rangeOf('bytes=0-', 0)).toThrow(expect.objectContaining({ code: 'range-not-satisfiable' }));
});
