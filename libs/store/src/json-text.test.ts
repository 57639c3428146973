import { expect, test } from '@jest/globals';
import { jsonText } from './json-text.ts';

test.each([
  ['plain', { a: [1, 'ü', null, true] }, { a: [1, 'ü', null, true] }],
  ['a NUL', { text: 'a\u0000b' }, { text: 'a\uFFFDb' }],
  ['a NUL in a name', { 'a\u0000': [{ b: '\u0000' }] }, { 'a\uFFFD': [{ b: '\uFFFD' }] }],
  ['a lone surrogate', ['\uD800x'], ['\uFFFDx']],
  ['a pair', ['\u{1F600}'], ['\u{1F600}']],
  ['text that only looks like an escape', ['\\u0000 \\ud800'], ['\\u0000 \\ud800']],
])('makes storable JSON of %s', (_name, value, expected) => {
  expect(JSON.parse(jsonText(value))).toEqual(expected);
});
