import { expect, test } from '@jest/globals';
import { fingerprintOf, idempotencyKey } from './idempotency-key.ts';

test.each([
  ['abc', 'abc'],
  ['"abc"', 'abc'],
  [undefined, undefined],
])('Idempotency-Key: %s is %s', (header, key) => {
  expect(idempotencyKey(header)).toBe(key);
});

test.each(['', '""', 'a b', 'ä', 'x'.repeat(256)])('Idempotency-Key: %j is refused', (header) => {
  expect(() => idempotencyKey(header)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
});

test('bodies that say the same have the same fingerprint', () => {
  expect(fingerprintOf({ a: 1, b: { c: [1, 2], d: null } })).toBe(
    fingerprintOf({ b: { d: null, c: [1, 2] }, a: 1 }),
  );
});

test.each([
  [{ a: 1 }, { a: '1' }],
  [{ a: [1, 2] }, { a: [2, 1] }],
  [{ a: {} }, { a: [] }],
  [{ a: null }, {}],
])('%j and %j differ', (one, other) => {
  expect(fingerprintOf(one)).not.toBe(fingerprintOf(other));
});
