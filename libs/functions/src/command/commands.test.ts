import { describe, expect, test } from '@jest/globals';
import { filesIn } from '@perdure/job/files-in';
import { describeFunction } from '../catalogue.ts';
import { checkParameters } from '../parse.ts';
import { aCommand, aDeclaration, fileId, problemsIn } from './testing/declarations.ts';

const parametersOf = (properties: object, rest: object = {}) => ({
  parameters: { type: 'object', properties, ...rest },
});

describe('a declared command', () => {
  test('is listed with the schema as its operator wrote it, closed', () => {
    const { inputSchema, outputSchema, result } = describeFunction(aCommand({ result: 'out.json' }));
    expect(inputSchema).toEqual({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      ...(aDeclaration() as { parameters: object }).parameters,
      additionalProperties: false,
    });
    expect([outputSchema, result]).toEqual([null, 'out.json']);
  });

  test('has its file parameters found', () => {
    const { inputSchema } = describeFunction(
      aCommand({
        args: ['{{one}}', '{{more}}'],
        ...parametersOf({
          one: { type: 'string', format: 'perdure-file' },
          more: { type: 'array', items: { type: 'string', format: 'perdure-file' } },
        }),
        freeText: [],
      }),
    );
    expect(filesIn(inputSchema, { one: 'a', more: ['b', 'c'] }).map(({ pointer }) => pointer)).toEqual([
      '/one',
      '/more/0',
      '/more/1',
    ]);
  });

  test('without further words is tried once, has no outputs, and may run anywhere', () => {
    expect(aCommand()).toMatchObject({
      isolation: 'command',
      retry: { maximumAttempts: 1 },
      files: false,
      outputs: [],
      operatingSystems: [],
      tool: null,
      limits: {},
    });
  });

  test('hands over its result without another glob for it', () => {
    expect(aCommand({ outputs: ['*.csv'], result: 'out.json' })).toMatchObject({
      files: true,
      outputs: ['*.csv', 'out.json'],
      result: 'out.json',
    });
  });

  test('has the variables that are declared, and a PATH and a locale', () => {
    const { env } = aCommand(
      { env: { inherit: ['LICENCE', 'ABSENT'], set: { MODE: 'fast', LANG: 'de' } } },
      { LICENCE: 'abc', DATABASE_URL: 'secret' },
    );
    expect(env).toEqual({
      PATH: expect.stringContaining('/usr/bin'),
      LANG: 'de',
      LICENCE: 'abc',
      MODE: 'fast',
    });
  });

  test('finds what begins with ./ beside the file that declares it', () => {
    const command = aCommand({ program: './bin/tool', args: ['./a.py', '{{data}}', 'x/./y', '.'] });
    expect(command.program).toBe('/etc/perdure/bin/tool');
    expect(command.argumentsFor({ parameters: { data: fileId }, files: { [fileId]: '/s/1' } })).toEqual([
      '/etc/perdure/a.py',
      '/s/1',
      'x/./y',
      '.',
    ]);
  });

  test.each([
    [{}, '/data', 'is missing'],
    [{ data: 'no-file' }, '/data', 'the id of a file'],
    [{ data: fileId, other: 1 }, '/other', 'unknown field'],
    [{ data: fileId, count: 'x' }, '/count', 'integer'],
    [{ data: fileId, count: -11 }, '/count', '-10'],
    [{ data: fileId, words: ['a', 1] }, '/words/1', 'string'],
  ])('refuses the parameters %j', (parameters, pointer, detail) => {
    expect(checkParameters(aCommand(), parameters)).toEqual([
      { pointer, detail: expect.stringContaining(detail) },
    ]);
  });

  test('may call a parameter as JavaScript calls things of its own', () => {
    const command = aCommand({
      args: ['{{constructor}}', '{{toString}}'],
      ...parametersOf({ constructor: { type: 'string' }, toString: { type: 'string' } }),
      freeText: [],
    });
    expect(checkParameters(command, {})).toEqual([]);
    expect(command.argumentsFor({ parameters: {}, files: {} })).toEqual([]);
  });
});

describe('a declaration is refused, with its place and the remedy, for', () => {
  test.each<[string, object, string, string]>([
    ['a field that nobody knows', { arguments: [] }, '/arguments', 'unknown field'],
    ['a name with capitals', { name: 'Tool' }, '/name', 'small letters'],
    ['a version that YAML made a number of', { version: 1.1 }, '/version', 'quotes'],
    ['a program in the scratch folder', { program: 'bin/tool' }, '/program', './'],
    ['a program that a caller chooses', { program: '{{word}}' }, '/program', 'no placeholder'],
    ['an unknown placeholder', { args: ['{{wrod}}'] }, '/args/0', "no parameter 'wrod'; known are data"],
    ['a placeholder that stays open', { args: ['{{word}'] }, '/args/0', 'never closed'],
    ['a list inside a text', { args: ['--words={{words}}'] }, '/args/0', 'the whole element'],
    ['a value inside an option', { args: ['-x{{word}}'] }, '/args/0', '--name={{…}}'],
    ['a value as an option', { args: ['--{{word}}=1'] }, '/args/0', '--name={{…}}'],
    ['an option left without its value', { args: ['--word', '{{word}}'] }, '/args/1', '={{word}}'],
    ['a value beside the file', { args: ['./{{word}}'] }, '/args/0', 'no placeholder'],
    ['free text that is no parameter', { freeText: ['x'] }, '/freeText/0', "no parameter 'x'"],
    ['a glob out of the scratch folder', { outputs: ['a/../../*'] }, '/outputs/0', 'without ..'],
    ['an absolute glob', { outputs: ['/etc/*'] }, '/outputs/0', 'without a leading /'],
    ['a result that is a path', { result: 'a/b' }, '/result', 'plain name'],
    ['another temporary folder', { env: { set: { TMPDIR: '/tmp' } } }, '/env/set/TMPDIR', 'scratch folder'],
    [
      'a parameter with a blank',
      parametersOf({ 'a b': { type: 'string' } }),
      '/parameters',
      'named by a letter',
    ],
    ['a variable with =', { env: { inherit: ['A=B'] } }, '/env/inherit/0', 'letters'],
    ['no memory', { memoryMiB: 0 }, '/memoryMiB', '>=1'],
    ['a time beyond the timers', { timeoutSeconds: 1e9 }, '/timeoutSeconds', '<='],
    ['a NUL', { args: ['a\0b'] }, '/args/0', 'NUL'],
  ])('%s', (_, given, pointer, detail) => {
    const problems = problemsIn([aDeclaration(given)]);
    expect(problems).toEqual([expect.stringMatching(/^agent\.yaml: command 'tool', \//i)]);
    expect(problems[0]).toContain(pointer);
    expect(problems[0]).toContain(detail);
  });

  test.each<[string, object, object, string]>([
    ['a keyword that is misspelt', { a: { type: 'string', minLenght: 1 } }, {}, 'minLenght'],
    ['a format that nobody checks', { a: { type: 'string', format: 'date' } }, {}, 'perdure-file'],
    ['a parameter without a type', { a: { enum: ['x'] } }, {}, 'a parameter is a string'],
    ['an object in a parameter', { a: { type: 'object' } }, {}, 'a parameter is a string'],
    ['parameters that go nowhere', { a: { type: 'string' } }, { additionalProperties: true }, 'leave'],
    ['a required one that is not there', { a: { type: 'string' } }, { required: ['b'] }, '"b"'],
    ['a default of another type', { a: { type: 'integer', default: 'x' } }, {}, 'integer'],
    ['a default that is a path', { a: { type: 'string', default: '/etc' } }, {}, 'could be a path'],
    ['a default that is an option', { a: { type: 'string', default: '-x' } }, {}, 'begins with a dash'],
    ['a choice that is a path', { a: { type: 'string', enum: ['a', 'b/c'] } }, {}, 'enum/1: could be a path'],
    [
      'a file with a default',
      { a: { type: 'string', format: 'perdure-file', default: 'x' } },
      {},
      'no default',
    ],
    ['a file that is hidden', { a: { type: 'string', anyOf: [{ format: 'perdure-file' }] } }, {}, 'itself'],
    [
      'another dialect',
      { a: { type: 'string' } },
      { $schema: 'http://json-schema.org/draft-07/schema#' },
      '2020-12',
    ],
  ])('a schema with %s', (_, properties, rest, detail) => {
    const declared = { args: ['{{a}}'], freeText: [], ...parametersOf(properties, rest) };
    const [problem = ''] = problemsIn([aDeclaration(declared)]);
    expect(problem).toMatch(/^agent\.yaml: command 'tool', \/parameters/);
    expect(problem).toContain(detail);
  });

  test('every problem of every command at once', () => {
    const problems = problemsIn([
      aDeclaration({ name: 'A', version: 'x' }),
      null,
      aDeclaration(),
      aDeclaration(),
    ]);
    expect(problems).toHaveLength(4);
    expect(problems.join('\n')).toMatch(/'A'.*\n.*'A'.*\n.*no\. 2.*\n.*declared twice/);
  });

  test('a list that is none', () => {
    expect(problemsIn({})).toEqual(["agent.yaml: 'commands' is a list of commands"]);
  });
});
