import { expect, test } from '@jest/globals';
import { JsonShape } from './json-shape.ts';

test.each<[string, number, number]>([
  ['', 0, 0],
  ['1', 0, 0],
  ['[]', 1, 0],
  ['{"a":[1,{"b":2}],"c":3}', 3, 3],
  ['{"a:b":"{[:\\":]}"}', 1, 1],
  ['"\\\\",[[', 2, 0],
])('%s is so deep and has so many keys', (json, deepest, keys) => {
  const whole = new JsonShape();
  whole.scan(Buffer.from(json));
  const split = new JsonShape();
  for (const byte of Buffer.from(json)) split.scan(Buffer.of(byte));
  expect([whole.deepest, whole.keys]).toEqual([deepest, keys]);
  expect([split.deepest, split.keys]).toEqual([deepest, keys]);
});
