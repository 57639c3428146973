import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { type Copy, copyWith, runIn } from './copy.ts';

const plants: { title: string; path: string; text: string; rule: string }[] = [
  {
    title: 'the environment outside libs/config',
    path: 'apps/worker/src/planted-environment.ts',
    text: `export const planted = process.env['PORT'];\n`,
    rule: 'no-restricted-properties',
  },
  {
    title: 'the environment outside libs/config, taken apart',
    path: 'libs/agent/src/planted-environment.ts',
    text: `export const { env } = process;\n`,
    rule: 'no-restricted-properties',
  },
  {
    title: 'the environment outside libs/config, by the module',
    path: 'libs/storage/src/planted-environment.ts',
    text: `import { env } from 'node:process';\nexport const planted = env['PORT'];\n`,
    rule: 'no-restricted-imports',
  },
  {
    title: 'a second caller of the transition table',
    path: 'apps/api/src/jobs/planted-transition.ts',
    text: `import { transition } from '@perdure/job/transitions';\nexport const planted = transition('RUNNING', 'executed');\n`,
    rule: 'no-restricted-imports',
  },
  {
    title: 'a second door to the database',
    path: 'apps/api/src/jobs/planted-door.ts',
    text: `import { openDatabase } from '@perdure/store/database';\nexport const planted = openDatabase('');\n`,
    rule: 'no-restricted-imports',
  },
  {
    title: 'a second caller inside libs/job',
    path: 'libs/job/src/planted-transition.ts',
    text: `import * as table from './transitions.ts';\nexport const planted = table.transition('RUNNING', 'executed');\n`,
    rule: 'no-restricted-imports',
  },
  {
    title: 'a clock in a pure file',
    path: 'libs/job/src/planted-clock.ts',
    text: `export const planted = [new Date()];\n`,
    rule: 'no-restricted-syntax',
  },
  {
    title: 'chance in a pure file',
    path: 'libs/job/src/planted-chance.ts',
    text: `export const planted = Math.random();\n`,
    rule: 'no-restricted-properties',
  },
  {
    title: 'a promise that nobody awaits',
    path: 'libs/store/src/planted-floating.ts',
    text: `export function planted(): void {\n  Promise.resolve(1).then(String);\n}\n`,
    rule: '@typescript-eslint/no-floating-promises',
  },
  {
    title: 'a promise as a condition',
    path: 'apps/api/src/jobs/planted-condition.ts',
    text: `export const planted = (found: Promise<boolean>) => (found ? 1 : 2);\n`,
    rule: '@typescript-eslint/no-misused-promises',
  },
  {
    title: 'a switch that forgets a status',
    path: 'apps/api/src/jobs/planted-switch.ts',
    text: `import type { Stage } from '@perdure/job/status';
export function planted(stage: Stage): number {
  switch (stage) {
    case 'claim':
      return 1;
  }
  return 2;
}
`,
    rule: '@typescript-eslint/switch-exhaustiveness-check',
  },
  {
    title: 'any',
    path: 'libs/functions/src/planted-any.ts',
    text: `export const planted = (value: any): string => String(value);\n`,
    rule: '@typescript-eslint/no-explicit-any',
  },
  {
    title: 'a value that is said not to be null',
    path: 'libs/functions/src/planted-null.ts',
    text: `export const planted = (values: string[]): string => values[0]!;\n`,
    rule: '@typescript-eslint/no-non-null-assertion',
  },
];

describe('the lint', () => {
  let copy: Copy;
  let found: Map<string, string[]>;

  beforeAll(async () => {
    copy = await copyWith(Object.fromEntries(plants.map(({ path, text }) => [path, text])));
    const paths = plants.map(({ path }) => path);
    const output = await runIn(copy.folder, 'eslint/bin/eslint.js', ['--format', 'json', ...paths]);
    const files: { filePath: string; messages: { ruleId: string | null }[] }[] = JSON.parse(output);
    found = new Map(
      files.map(({ filePath, messages }) => [
        filePath.slice(copy.folder.length + 1),
        messages.map(({ ruleId }) => ruleId ?? 'unreadable'),
      ]),
    );
  }, 180_000);

  afterAll(() => copy.remove());

  test.each(plants)('$title is named', ({ path, rule }) => {
    expect(found.get(path)).toContain(rule);
  });
});
