import { expect, test } from '@jest/globals';
import { preferredWait } from './prefer.ts';

test.each([
  ['wait=10', 10],
  ['respond-async, wait=10', 10],
  ['wait="10"', 10],
  ['WAIT = 3; foo=bar', 3],
  ['wait=0', 0],
  ['wait=3600', 60],
  ['wait=-1', undefined],
  ['wait=soon', undefined],
  ['handling=lenient', undefined],
  [undefined, undefined],
])('Prefer: %s waits %s seconds', (header, seconds) => {
  expect(preferredWait(header)).toBe(seconds);
});
