import { expect, test } from '@jest/globals';
import { filesIn } from './files-in.ts';

const file = { type: 'string', format: 'perdure-file' };

test('file parameters are found by their schema, wherever they stand', () => {
  const schema = {
    type: 'object',
    properties: {
      model: file,
      'a/b~c': { type: 'array', items: file },
      deep: { type: 'object', properties: { inner: file } },
      name: { type: 'string' },
    },
  };
  const parameters = { model: 'f1', 'a/b~c': ['f2', 'f3'], deep: { inner: 'f4' }, name: 'f5', extra: 'f6' };
  expect(filesIn(schema, parameters)).toEqual([
    { pointer: '/model', fileId: 'f1' },
    { pointer: '/a~1b~0c/0', fileId: 'f2' },
    { pointer: '/a~1b~0c/1', fileId: 'f3' },
    { pointer: '/deep/inner', fileId: 'f4' },
  ]);
});

test('what does not fit the schema is left to the check of the schema', () => {
  expect(filesIn({ properties: { model: file } }, { model: 7 })).toEqual([]);
  expect(filesIn(undefined, { model: 'f1' })).toEqual([]);
});
