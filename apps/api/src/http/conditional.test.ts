import { expect, test } from '@jest/globals';
import { matchesNone, requireMatch } from './conditional.ts';

test.each([
  ['"7"', true],
  ['W/"7"', true],
  ['"6", "7"', true],
  ['*', true],
  ['"77"', false],
  ['7', false],
  [undefined, false],
])('If-None-Match: %s names "7": %s', (header, named) => {
  expect(matchesNone(header, '"7"')).toBe(named);
});

test.each([
  ['"7"', true],
  ['"6", "7"', true],
  ['*', true],
  [undefined, true],
  // The comparison is the strong one.
  ['W/"7"', false],
  ['"6"', false],
  ['nonsense', false],
])('If-Match: %s lets a change of "7" through: %s', (header, through) => {
  const check = (): void => requireMatch(header, '"7"');
  if (through) expect(check).not.toThrow();
  else expect(check).toThrow(expect.objectContaining({ code: 'precondition-failed' }));
});
