import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { defaultTenantId } from './ids.ts';
import { parseStart } from './start.ts';

test('a function is all that a direct start needs', () => {
  expect(parseStart({ function: 'echo' })).toEqual({
    ok: true,
    value: {
      function: 'echo',
      tenantId: defaultTenantId,
      owner: 'temporal',
      parameters: {},
      labels: {},
      priority: 3,
      limits: {},
      maxAgentLosses: 3,
      historyEvents: 2000,
      admitted: false,
    },
  });
});

test('what was parsed can be handed on and parsed again', () => {
  const parsed = parseStart({
    function: 'echo',
    parameters: { inline: { a: 1 } },
    tool: { name: 'ansys', version: '2026' },
    limits: { queueSeconds: 5 },
  });
  expect(parsed.ok && parseStart(parsed.value)).toEqual(parsed);
});

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'object'],
  ['a list', [], 'object'],
  ['no function', {}, 'function'],
  ['an unknown field', { function: 'echo', colour: 1 }, "'colour'"],
  ['a prototype', JSON.parse('{"function": "echo", "__proto__": {}}'), "'__proto__'"],
  ['a bad version', { function: 'echo', version: 'newest' }, 'version'],
  ['a bad tenant', { function: 'echo', tenantId: 'me' }, 'tenantId'],
  [
    'parameters that nest too deep',
    { function: 'echo', parameters: JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`) },
    'parameters',
  ],
  ['parameters that are a list', { function: 'echo', parameters: [] }, 'parameters'],
  ['labels that are numbers', { function: 'echo', labels: { a: 1 } }, 'labels'],
  ['a priority out of range', { function: 'echo', priority: 6 }, 'priority'],
  ['an unknown limit', { function: 'echo', limits: { years: 1 } }, 'limits'],
  ['a limit of zero', { function: 'echo', limits: { runSeconds: 0 } }, 'limits'],
  ['a moment without its zone', { function: 'echo', notBefore: '2026-11-22T05:00:00' }, 'notBefore'],
  ['a moment that is a number', { function: 'echo', notBefore: 1_795_000_000 }, 'notBefore'],
  ['a moment that is none', { function: 'echo', notBefore: '2026-13-22T05:00:00Z' }, 'notBefore'],
  ['a job to run again that is none', { function: 'echo', rerunOf: 'a b' }, 'rerunOf'],
  ['a verdict that is none', { function: 'echo', validated: 'yes' }, 'validated'],
  ['a limit that is no number', { function: 'echo', limits: { runSeconds: NaN } }, 'limits'],
])('%s is refused, and the field is named', (_, argument, word) => {
  const parsed = parseStart(argument);
  expect(parsed.ok).toBe(false);
  expect(!parsed.ok && parsed.message).toContain(word);
});

test('nothing makes it throw', () => {
  fc.assert(fc.property(fc.anything(), (argument) => void parseStart(argument)));
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('function', 'version', 'labels', 'limits', 'tool'), fc.anything()),
      (argument) => void parseStart(argument),
    ),
  );
});
