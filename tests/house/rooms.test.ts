import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { type Copy, copyWith, runIn } from './copy.ts';

type Violation = { from: string; to: string; rule: { name: string } };

/** What is planted, and by which rule it must be named. */
const plants: { title: string; path: string; text: string; rule: string }[] = [
  {
    title: 'zod in the workflows',
    path: 'libs/workflows/src/planted-zod.ts',
    text: `import { z } from 'zod';\nexport const planted = z.string();\n`,
    rule: 'libs/workflows: packages',
  },
  {
    title: 'Node in the workflows',
    path: 'libs/workflows/src/planted-node.ts',
    text: `import { hostname } from 'node:os';\nexport const planted = hostname();\n`,
    rule: 'libs/workflows: built-ins',
  },
  {
    title: 'the activities in the workflows, other than as a type',
    path: 'libs/workflows/src/planted-activities.ts',
    text: `import * as activities from '@perdure/activities';\nexport const planted = activities;\n`,
    rule: 'libs/workflows: doors for types',
  },
  {
    title: 'the schemas in the workflows',
    path: 'libs/workflows/src/planted-schemas.ts',
    text: `import { Job } from '@perdure/job/schemas';\nexport const planted = Job;\n`,
    rule: 'libs/workflows: doors',
  },
  {
    title: 'a file system in a pure file',
    path: 'libs/job/src/planted-fs.ts',
    text: `import { readFileSync } from 'node:fs';\nexport const planted = readFileSync;\n`,
    rule: 'libs/job, pure files: built-ins',
  },
  {
    title: 'the schemas in a pure file',
    path: 'libs/job/src/planted-schemas.ts',
    text: `import { Job } from './schemas.ts';\nexport const planted = Job;\n`,
    rule: 'libs/job, pure files: doors',
  },
  {
    title: 'the record in the API',
    path: 'apps/api/src/jobs/planted-record.ts',
    text: `import { makeRecorder } from '@perdure/store/record';\nexport const planted = makeRecorder;\n`,
    rule: 'apps/api: doors',
  },
  {
    title: 'the record in the API, past the door',
    path: 'apps/api/src/jobs/planted-detour.ts',
    text: `import { makeRecorder } from '../../../../libs/store/src/record.ts';\nexport const planted = makeRecorder;\n`,
    rule: 'apps/api: doors',
  },
  {
    title: 'the activities in the API',
    path: 'apps/api/src/jobs/planted-activities.ts',
    text: `import type { AgentActivities } from '@perdure/activities';\nexport type Planted = AgentActivities;\n`,
    rule: 'apps/api: doors',
  },
  {
    title: 'SQL in the API',
    path: 'apps/api/src/jobs/planted-sql.ts',
    text: `import { sql } from 'kysely';\nexport const planted = sql;\n`,
    rule: 'apps/api: packages',
  },
  {
    title: 'Temporal in the store',
    path: 'libs/store/src/planted-temporal.ts',
    text: `import { Client } from '@temporalio/client';\nexport const planted = Client;\n`,
    rule: 'libs/store: packages',
  },
  {
    title: 'the store in the functions',
    path: 'libs/functions/src/planted-store.ts',
    text: `import { getJob } from '@perdure/store/read';\nexport const planted = getJob;\n`,
    rule: 'libs/functions: doors',
  },
  {
    title: 'a client of Temporal in the activities, other than as a type',
    path: 'libs/activities/src/planted-client.ts',
    text: `import { Client } from '@temporalio/client';\nexport const planted = Client;\n`,
    rule: 'libs/activities: packages for types',
  },
  {
    title: 'the environment in an activity',
    path: 'libs/activities/src/planted-config.ts',
    text: `import { readEnvironment } from '@perdure/config/environment';\nexport const planted = readEnvironment;\n`,
    rule: 'libs/activities: doors',
  },
  {
    title: 'a web framework in the agent',
    path: 'libs/agent/src/planted-http.ts',
    text: `import { fastify } from 'fastify';\nexport const planted = fastify;\n`,
    rule: 'libs/agent: packages',
  },
  {
    title: 'the record in the agent',
    path: 'libs/agent/src/planted-record.ts',
    text: `import { makeRecorder } from '@perdure/store/record';\nexport const planted = makeRecorder;\n`,
    rule: 'libs/agent: doors',
  },
  {
    title: 'a dialect in another dialect',
    path: 'apps/api/src/dialects/fused/planted-other.ts',
    text: `import { planted } from '../istari/planted-store.ts';\nexport const again = planted;\n`,
    rule: 'a dialect: doors',
  },
  {
    title: 'the store in a dialect',
    path: 'apps/api/src/dialects/istari/planted-store.ts',
    text: `import { getJob } from '@perdure/store/read';\nexport const planted = getJob;\n`,
    rule: 'a dialect: doors',
  },
  {
    title: 'Temporal in a dialect',
    path: 'apps/api/src/dialects/istari/planted-temporal.ts',
    text: `import { Client } from '@temporalio/client';\nexport const planted = Client;\n`,
    rule: 'a dialect: packages',
  },
  {
    title: 'a test in the product',
    path: 'apps/worker/src/planted-test.ts',
    text: `import { freshDatabase } from '../../../tests/support/database.ts';\nexport const planted = freshDatabase;\n`,
    rule: 'no room enters the tests',
  },
  {
    title: 'a cycle',
    path: 'libs/functions/src/planted-egg.ts',
    text: `import { hen } from './planted-hen.ts';\nexport const egg = (): unknown => hen;\n`,
    rule: 'no cycles',
  },
  {
    title: 'a file that does not exist',
    path: 'libs/storage/src/planted-nothing.ts',
    text: `import { nothing } from './nothing.ts';\nexport const planted = nothing;\n`,
    rule: 'nothing unresolved',
  },
  {
    title: 'a door that does not exist',
    path: 'apps/worker/src/planted-door.ts',
    text: `import { jobs } from '@perdure/store/schema';\nexport const planted = jobs;\n`,
    rule: 'nothing unresolved',
  },
  {
    title: 'a folder that is no room',
    path: 'libs/utils/src/planted-util.ts',
    text: `import { join } from 'node:path';\nexport const planted = join;\n`,
    rule: 'every file is in a room',
  },
];

/** A cycle is named once, by one of its files. */
const otherHalf = {
  'libs/functions/src/planted-hen.ts': `import { egg } from './planted-egg.ts';\nexport const hen = (): unknown => egg;\n`,
};

describe('the table of the rooms', () => {
  let copy: Copy;
  let violations: Violation[];

  beforeAll(async () => {
    copy = await copyWith({
      ...otherHalf,
      ...Object.fromEntries(plants.map(({ path, text }) => [path, text])),
    });
    const args = ['--output-type', 'json', 'apps', 'libs', 'tests', 'examples'];
    const output = await runIn(copy.folder, 'dependency-cruiser/bin/dependency-cruiser.mjs', args);
    violations = JSON.parse(output).summary.violations;
  }, 120_000);

  afterAll(() => copy.remove());

  test.each(plants)('$title is named', ({ path, rule }) => {
    expect(violations.filter(({ from }) => from === path).map(({ rule: { name } }) => name)).toContain(rule);
  });

  test('nothing else is named', () => {
    expect(violations.filter(({ from }) => !from.includes('/planted-'))).toEqual([]);
  });
});
