import { expect, test } from '@jest/globals';
import type { JsonObject } from './json.ts';
import { detailsWithoutSecrets, secretsOf } from './secrets.ts';

const secret = { type: 'string', writeOnly: true };

const seen = (schema: JsonObject, parameters: JsonObject) => secretsOf(schema)(parameters).parameters;

test('what is marked writeOnly is left out, wherever it stands, and its places are told', () => {
  const schema = {
    type: 'object',
    properties: {
      user: { type: 'string' },
      password: secret,
      'a/b': { type: 'object', properties: { token: secret, name: {} } },
      list: { type: 'array', items: { type: 'object', properties: { key: secret } } },
      whole: { type: 'object', writeOnly: true },
    },
  };
  const parameters = {
    user: 'ada',
    password: 'p',
    'a/b': { token: 't', name: 'n' },
    list: [{ key: 'k' }, 1],
    whole: { a: [1] },
    other: 1,
  };
  expect(secretsOf(schema)(parameters)).toEqual({
    parameters: {
      user: 'ada',
      password: '***',
      'a/b': { token: '***', name: 'n' },
      list: [{ key: '***' }, 1],
      whole: '***',
      other: 1,
    },
    secrets: [
      { pointer: '/password', value: 'p' },
      { pointer: '/a~1b/token', value: 't' },
      { pointer: '/list/0/key', value: 'k' },
      { pointer: '/whole', value: { a: [1] } },
    ],
  });
});

test.each<[string, JsonObject, JsonObject]>([
  ['a reference', { $ref: '#/$defs/all', $defs: { all: { properties: { a: secret } } } }, { a: '***' }],
  [
    'a reference of a property',
    { properties: { a: { $ref: '#/$defs/x~1y' } }, $defs: { 'x/y': secret } },
    { a: '***' },
  ],
  ['one of several', { anyOf: [{ properties: { a: {} } }, { properties: { a: secret } }] }, { a: '***' }],
  ['all of several', { allOf: [{ properties: { a: secret } }] }, { a: '***' }],
  ['a condition', { if: {}, then: { properties: { a: secret } } }, { a: '***' }],
  ['a pattern', { patternProperties: { '^a$': secret } }, { a: '***' }],
  ['all other properties', { additionalProperties: secret }, { a: '***' }],
  ['no other property', { properties: { a: {} }, additionalProperties: secret }, { a: 'value' }],
  ['a reference to itself', { allOf: [{ $ref: '#' }], properties: { a: secret } }, { a: '***' }],
  ['a reference that leads elsewhere', { properties: { a: { $ref: 'x.json' }, b: secret } }, { a: '***' }],
  ['nothing', { properties: { a: { writeOnly: false } } }, { a: 'value' }],
])('marked by %s', (_what, schema, expected) => {
  expect(seen(schema, { a: 'value' })).toEqual(expected);
});

test('a value that does not fit its schema is left out all the same', () => {
  expect(seen({ properties: { a: { type: 'number', writeOnly: true } } }, { a: 'text' })).toEqual({
    a: '***',
  });
  expect(seen({ type: 'string', writeOnly: true }, { a: 1 })).toEqual({});
});

test('what is wrong with a secret says where, and nothing of it', () => {
  const secrets = [{ pointer: '/a', value: 'x' }];
  const details = ['/a', '/a/key-of-it', '/ab', ''].map((pointer) => ({ pointer, detail: 'said' }));
  expect(detailsWithoutSecrets(details, secrets)).toEqual([
    { pointer: '/a', detail: 'is a secret, and not as its schema has it' },
    { pointer: '/a', detail: 'is a secret, and not as its schema has it' },
    { pointer: '/ab', detail: 'said' },
    { pointer: '', detail: 'said' },
  ]);
});
