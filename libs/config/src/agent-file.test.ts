import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from '@jest/globals';

import { ConfigurationError } from './environment.ts';
import { loadWorkerConfig } from './worker.ts';

const folder = mkdtempSync(join(tmpdir(), 'agent-file-'));
const path = join(folder, 'agent.yaml');
afterAll(() => rmSync(folder, { recursive: true }));

function load(text: string) {
  writeFileSync(path, text);
  return loadFile(path);
}

function loadFile(AGENT_CONFIG: string | undefined) {
  const needed = { DATABASE_URL: 'postgres://db/perdure', STORAGE_URL: 'file:/var/lib/perdure' };
  return loadWorkerConfig({ ...needed, AGENT_CONFIG }).agent.file;
}

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('the file of an agent', () => {
  test('says what there is', () => {
    const yaml = `
displayName: The one with the licence
operatingSystem: linux
tools:
  - { name: python, version: '3.11' }
limits:
  memoryMiB: 512
commands:
  - name: whatever # judged by the pack
`;
    expect(load(yaml)).toEqual({
      path,
      displayName: 'The one with the licence',
      operatingSystem: 'linux',
      tools: [{ name: 'python', version: '3.11' }],
      limits: { memoryMiB: 512 },
      commands: [{ name: 'whatever' }],
    });
  });

  test('may be JSON, or empty, or not there at all', () => {
    const nothing = { tools: [], limits: {}, commands: [] };
    expect(load('{"tools": []}')).toEqual({ path, ...nothing });
    expect(load('# nothing')).toEqual({ path, ...nothing });
    expect(loadFile(undefined)).toEqual({ path: '', ...nothing });
  });
});

describe('what is wrong in it is named with its place and the remedy:', () => {
  test.each([
    ['an unknown field', 'limit: {}', '/limit is unknown. Leave it out'],
    ['an unknown field further down', 'limits: { memory: 1 }', '/limits/memory is unknown'],
    [
      'a version that YAML made a number of',
      'tools: [{ name: a, version: 3.11 }]',
      '/tools/0/version cannot be used (is no text; put it in quotes',
    ],
    [
      'a system with capitals',
      'operatingSystem: Linux',
      '/operatingSystem cannot be used (is a name like linux',
    ],
    ['a limit below one', 'limits: { scratchMiB: 0 }', '/limits/scratchMiB'],
    ['commands that are no list', 'commands: { a: 1 }', '/commands'],
    ['a list in place of the whole', '- a', 'the whole cannot be used'],
    ['a broken line', 'tools: [', 'at line 1'],
    ['a key that stands there twice', 'tools: []\ntools: []', 'at line 2'],
  ])('%s', (_, text, problem) => {
    const [first, ...more] = problemsOf(() => load(text));
    expect(more).toEqual([]);
    expect(first).toContain(`AGENT_CONFIG names ${path}`);
    expect(first).toContain(problem);
  });

  test('all of it at once, and beside what is wrong in other variables', () => {
    expect(problemsOf(() => load('a: 1\nlimits: { memoryMiB: x, logLines: 0 }'))).toHaveLength(3);
    expect(
      problemsOf(() => loadWorkerConfig({ AGENT_CONFIG: path })).map((problem) => problem.split(' ')[0]),
    ).toEqual(expect.arrayContaining(['AGENT_CONFIG', 'DATABASE_URL', 'STORAGE_URL']));
  });

  test('a file that cannot be read', () => {
    expect(problemsOf(() => loadFile('/nowhere/agent.yaml'))).toEqual([
      expect.stringMatching(/\/nowhere\/agent\.yaml.*ENOENT.*Set it to the path/),
    ]);
  });

  test('and no line around the place is shown: it may contain a secret', () => {
    const problems = problemsOf(() => load('commands:\n  - env: { set: { KEY: hunter2, ] }'));
    expect(problems.join()).not.toContain('hunter2');
  });
});
