import { expect, test } from '@jest/globals';
import { nameAndVersion, number, pair, parametersFrom } from './parameters.ts';

test('single parameters add to the object, as JSON where they are', async () => {
  const single = { seconds: '2', text: 'two words', id: '"7"', list: '[1]', url: 'a=b' };
  expect(await parametersFrom('{"seconds": 1, "kept": true}', single)).toEqual({
    kept: true,
    seconds: 2,
    text: 'two words',
    id: '7',
    list: [1],
    url: 'a=b',
  });
  expect(await parametersFrom(undefined)).toBeUndefined();
});

test.each(['[]', '1', 'null', '{', '"text"', '@/no/such/file'])('%s is no object', async (text) => {
  await expect(parametersFrom(text)).rejects.toThrow();
});

test('pairs are split at their first equals sign', () => {
  expect(pair('a=b=c', { before: 'x' })).toEqual({ before: 'x', a: 'b=c' });
  expect(pair('a=')).toEqual({ a: '' });
  expect(() => pair('=b')).toThrow("Write it as 'key=value'.");
  expect(() => pair('ab')).toThrow();
});

test.each(['', ' ', 'x', 'Infinity', 'NaN'])('%p is no number', (text) => {
  expect(() => number(text)).toThrow('Give a number.');
});

test('a version may stand behind a name', () => {
  expect(nameAndVersion('echo')).toEqual({ name: 'echo' });
  expect(nameAndVersion('echo@1.0.0')).toEqual({ name: 'echo', version: '1.0.0' });
});
