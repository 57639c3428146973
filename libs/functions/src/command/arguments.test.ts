import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { checkParameters } from '../parse.ts';
import type { InputError } from '../errors.ts';
import fc from 'fast-check';
import { aCommand, fileId } from './testing/declarations.ts';

const files = { [fileId]: '/scratch/inputs/1' };

describe('arguments', () => {
  test.each<[string[], object, string[]]>([
    [['run', '{{data}}'], {}, ['run', '/scratch/inputs/1']],
    [['--data={{data}}'], {}, ['--data=/scratch/inputs/1']],
    [['{{word}}', 'end'], {}, ['end']],
    [['--word={{word}}', 'end'], {}, ['end']],
    [['{{word}}'], { word: 'a b  "c" $d;e' }, ['a b  "c" $d;e']],
    [['{{words}}'], { words: ['a', 'b c'] }, ['a', 'b c']],
    [['{{words}}'], { words: [] }, []],
    [['{{ word }}-{{word}}'], { word: 'a' }, ['a-a']],
    [['{{count}}', '{{exact}}'], { exact: false }, ['3', 'false']],
    [['--count={{count}}'], { count: -1 }, ['--count=-1']],
    [['--word', '{{count}}'], { count: 7 }, ['--word', '7']],
    [['{{free}}'], { free: 'https://host/a?b=..' }, ['https://host/a?b=..']],
    [['{{word}}'], { word: '{{free}}', free: 'x' }, ['{{free}}']],
    [['{"a": {"b": "{{word}}"}}'], { word: 'x' }, ['{"a": {"b": "x"}}']],
  ])('%j with %j are %j', (args, parameters, wanted) => {
    expect(aCommand({ args }).argumentsFor({ parameters: { data: fileId, ...parameters }, files })).toEqual(
      wanted,
    );
  });

  test.each<[string[], object, string]>([
    [['{{word}}'], { word: '-rf' }, '/word'],
    [['{{word}}'], { word: '--' }, '/word'],
    [['{{word}}'], { word: '–Command' }, '/word'],
    [['{{words}}'], { words: ['a', '-b'] }, '/words/1'],
    [['{{free}}'], { free: '-o/etc/passwd' }, '/free'],
    [['{{free}}{{word}}'], { free: '', word: '-x' }, '/free'],
    [['{{count}}'], { count: -1 }, '/count'],
    [['{{word}}'], { word: '/etc/passwd' }, '/word'],
    [['{{word}}'], { word: 'a/../..' }, '/word'],
    [['{{word}}'], { word: 'a\\b' }, '/word'],
    [['{{word}}'], { word: '..' }, '/word'],
    [['x/{{word}}'], { word: '.' }, '/word'],
    [['{{word}}/etc'], { word: '' }, '/word'],
    [['{{word}}'], { word: 'a\0b' }, '/word'],
    [['{{word}}'], { word: 'a\nb' }, '/word'],
    [['{{free}}'], { free: 'a\u007fb' }, '/free'],
    [['{{free}}'], { free: '\ud800' }, '/free'],
    [['{{free}}'], { free: 'x'.repeat(100_001) }, '/free'],
    [['{{words}}'], { words: ['a', 'b/c'] }, '/words/1'],
    // Not only where a template uses it: it is refused as what it is.
    [['run'], { word: '/etc' }, '/word'],
  ])('%j are refused %j before anything starts', (args, given, pointer) => {
    const command = aCommand({ args });
    const parameters = { data: fileId, ...given };
    expect(checkParameters(command, parameters).map((one) => one.pointer)).toEqual([pointer]);
    let refusal: InputError | undefined;
    try {
      command.argumentsFor({ parameters, files });
    } catch (failure) {
      refusal = failure as InputError;
    }
    expect(refusal).toMatchObject({ code: 'invalid-parameters', details: [{ pointer }] });
  });

  test('that need a file which was not fetched are an error', () => {
    expect(() => aCommand().argumentsFor({ parameters: { data: fileId }, files: {} })).toThrow('not fetched');
  });
});

const spiteful = fc.constantFrom(
  ...[
    '-',
    '--',
    '–',
    '/',
    '\\',
    '.',
    '..',
    '\0',
    '\n',
    '\t',
    ' ',
    '=',
    ';',
    '&&',
    '|',
    '$(id)',
    '`id`',
    "'",
    '"',
  ],
  ...['{{free}}', '{{', '}}', '%2e', '~', '*', 'a', 'word', '@file', '\u2028', '\ud800'],
);
const hostile = fc.oneof(
  fc.array(spiteful, { maxLength: 5 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const elements = [
  '{{word}}',
  '{{free}}',
  '{{words}}',
  '--x={{word}}',
  'a{{word}}',
  '{{word}}{{word}}',
  'x/{{word}}',
].concat(
  '{{word}}/{{count}}',
  '{{count}}',
  'literal',
  '{{data}}',
  '{{word}}.{{word}}',
  '--y={{free}}',
  '{{free}}/z',
);
const given = fc.record(
  {
    word: hostile,
    free: hostile,
    words: fc.array(hostile, { maxLength: 3 }),
    count: fc.integer({ min: -10 }),
  },
  { requiredKeys: [] },
);

/** What a template means, said in another way than the code does. */
function expected(element: string, parameters: Record<string, unknown>): string[] {
  if (element === '{{words}}') return (parameters['words'] ?? []) as string[];
  const pieces = element.split(/(?=\{\{)|(?<=\}\})/);
  const values = pieces.map((piece) => (piece.startsWith('{{') ? parameters[piece.slice(2, -2)] : piece));
  return values.includes(undefined) ? [] : [values.map(String).join('')];
}

test('no value becomes an option, a path out of the scratch folder, or another argument', () => {
  const commands = elements.map((element) => ({
    element,
    command: aCommand({ args: ['first', element, 'last'] }),
  }));
  let started = 0;
  fc.assert(
    fc.property(fc.constantFrom(...commands), given, ({ element, command }, values) => {
      const parameters = { data: fileId, ...values };
      if (checkParameters(command, parameters).length > 0) {
        expect(() => command.argumentsFor({ parameters, files })).toThrow();
        return;
      }
      started += 1;
      const wanted = expected(element, { count: 3, ...parameters, data: files[fileId] });
      expect(command.argumentsFor({ parameters, files })).toEqual(['first', ...wanted, 'last']);
      for (const text of wanted) {
        expect(text).not.toMatch(/\p{Cc}/u);
        if (!element.startsWith('-')) expect(text).not.toMatch(/^\p{Pd}/u);
        if (element.includes('free')) continue;
        const value = element.startsWith('--x=') ? text.slice(4) : text;
        expect(`${resolve('/scratch', value)}/`).toMatch(/^\/scratch\//);
      }
    }),
    { numRuns: 20_000 },
  );
  // Or else nothing was proven.
  expect(started).toBeGreaterThan(2_000);
});
