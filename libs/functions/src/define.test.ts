import { expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Context } from './context.ts';
import { defineFunction } from './define.ts';
import { OutputError } from './errors.ts';
import { checkParameters, maxOutputBytes, parseOutput } from './parse.ts';

const silent = () => {};
function aContext(given: Partial<Context> = {}): Context {
  return {
    parameters: {},
    files: {},
    scratch: '/nowhere',
    log: { debug: silent, info: silent, warn: silent, error: silent },
    progress: silent,
    signal: new AbortController().signal,
    addFile: silent,
    ...given,
  };
}

const double = defineFunction({
  name: 'double',
  version: '1.0.0',
  description: 'Doubles.',
  input: z.strictObject({
    number: z.number().default(21),
    at: z.strictObject({ 'a/b': z.int() }).optional(),
  }),
  output: z.strictObject({ doubled: z.number() }),
  isolation: 'inline',
  execute: ({ parameters }) => ({ doubled: parameters.number * 2 }),
});

test('a function gets its parameters parsed, defaults included', async () => {
  await expect(double.execute(aContext())).resolves.toEqual({ doubled: 42 });
});

test('parameters that break the schema never reach the code', async () => {
  await expect(double.execute(aContext({ parameters: { number: 'x' } }))).rejects.toMatchObject({
    code: 'invalid-parameters',
    details: [{ pointer: '/number' }],
  });
});

test.each([
  [{ number: 1 }, []],
  [{ number: 'x', other: 1 }, ['/number', '/other']],
  [{ at: { 'a/b': 0.5 } }, ['/at/a~1b']],
])('what is wrong in %j is named by pointers', (parameters, pointers) => {
  expect(checkParameters(double, parameters).map(({ pointer }) => pointer)).toEqual(pointers);
});

const declaration = {
  description: '',
  input: z.strictObject({}),
  output: null,
  isolation: 'inline',
  execute: () => null,
} as const;
test.each([
  [{ name: 'Upper', version: '1.0.0' }, 'lower case'],
  [{ name: 'fine', version: '1' }, 'version'],
  [{ name: 'fine', version: '1.0.0', result: 'a.csv' }, 'files: true'],
  [{ name: 'fine', version: '1.0.0', retry: { maximumAttempts: 0 } }, 'maximumAttempts'],
])('a wrong declaration %j is refused at once', (wrong, message) => {
  expect(() => defineFunction({ ...declaration, ...wrong })).toThrow(message);
});

test('a function that declares no retry is tried once, and one without a check has none', () => {
  expect(double.retry).toEqual({ maximumAttempts: 1 });
  expect(double.validate).toBeUndefined();
});

const anything = { name: 'anything', output: z.looseObject({}) };
test.each([
  ['what JSON drops is dropped', anything, { a: 1, b: undefined }, { a: 1 }],
  ['a function without output may return nothing', { name: 'none', output: null }, undefined, null],
])('%s', (_, definition, returned, kept) => {
  expect(parseOutput(definition, returned)).toEqual(kept);
});

const circle: { self?: unknown } = {};
circle.self = circle;
test.each([
  ['a broken schema', double, { doubled: '42' }],
  ['nothing', double, undefined],
  ['a BigInt', anything, { a: 1n }],
  ['a circle', anything, circle],
  ['too much', anything, { text: 'x'.repeat(maxOutputBytes) }],
  ['something where nothing is declared', { name: 'none', output: null }, { a: 1 }],
])('an output with %s is refused', (_, definition, returned) => {
  expect(() => parseOutput(definition, returned)).toThrow(OutputError);
});
